data "amazon-ami" "base" {
  filters     = { name = data.amazon-parameterstore.pattern.value }
  owners      = ["amazon"]
  most_recent = true
  region      = "eu-west-1"
}
data "amazon-parameterstore" "pattern" {
  name            = "/pattern"
  with_decryption = true
}
variable "size" {
  type      = number
  default   = 8
  sensitive = true
  validation {
    condition     = var.size > 4 && can(tonumber(var.size))
    error_message = "The size is too small."
  }
}

locals {
  list = [for i, s in ["a", "é", "c"] : upper("${i}-${s}") if s != "c"]
  map  = { for s in local.list : s => length(s)... }
  text = <<-EOT
    %{ for s in local.list ~}
    ${s}
    %{ endfor ~}
  EOT
  all  = jsonencode([local.map, regexall("[a-z]+", local.text), try(local.map["x"], null), formatdate("YYYY", timestamp())])
}

source "amazon-ebs" "web" {
  source_ami = data.amazon-ami.base.id
  ami_name   = "web-${var.size}-{{isotime `2006`}}"
  tags       = { all = local.all, from = "{{ .SourceAMI }}" }
  dynamic "launch_block_device_mappings" {
    for_each = local.list[*]
    iterator = disk
    content {
      device_name = "/dev/${disk.value}"
      volume_size = var.size * 2 % 7 + 1
    }
  }
}

build {
  name    = "x"
  sources = ["source.amazon-ebs.web"]
  provisioner "shell" {
    inline = ["echo ${build.ID} ${source.name}"]
    only   = ["amazon-ebs.web"]
  }
  post-processors {
    post-processor "manifest" {
      output = "${build.name}.json"
    }
  }
}
