packer {
  required_version = ">= 1.7.0"
}

source "amazon-ebs" "web" {
  region = "us-east-1"
  source_ami_filter {
    filters = {
      name = "debian-12-amd64-*"
    }
    owners      = ["136693071363"]
    most_recent = true
  }
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "web ${legacy_isotime("2006-01-02 1504")}"
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "ansible" {
    playbook_file   = "common.yml"
    extra_arguments = []
  }
  provisioner "ansible" {
    playbook_file   = "web/web.yml"
    extra_arguments = ["-e", "web_title=Ovenbird"]
  }
}
