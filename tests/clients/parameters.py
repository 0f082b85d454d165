"""Parameter Store and identity."""

from common import *

ec2, ebs, ssm, sts = client("ec2"), client("ebs"), client("ssm"), client("sts")

identity = sts.get_caller_identity()
assert identity["Account"] == "123456789012" and identity["Arn"] == "arn:aws:iam::123456789012:user/ovenbird", identity
assert other("sts").get_caller_identity()["Account"] == "136693071363"

assert ssm.put_parameter(Name="/web/dev/colour", Value="blue", Type="String", Description="a colour")["Version"] == 1
refused("ParameterAlreadyExists", ssm.put_parameter, Name="/web/dev/colour", Value="red", Type="String")
assert ssm.put_parameter(Name="/web/dev/colour", Value="red", Overwrite=True)["Version"] == 2
found = ssm.get_parameter(Name="/web/dev/colour")["Parameter"]
assert found["Value"] == "red" and found["Version"] == 2 and found["Type"] == "String" and found["DataType"] == "text", found
assert found["ARN"] == "arn:aws:ssm:us-east-1:123456789012:parameter/web/dev/colour"
found = ssm.get_parameter(Name="/web/dev/colour:1")["Parameter"]
assert found["Value"] == "blue" and found["Selector"] == ":1", found
refused("ParameterVersionNotFound", ssm.get_parameter, Name="/web/dev/colour:9")
refused("ParameterNotFound", ssm.get_parameter, Name="/web/dev/nothing")

ssm.put_parameter(Name="/web/dev/password", Value="s3cret", Type="SecureString")
ssm.put_parameter(Name="/web/dev/hosts", Value="a,b", Type="StringList")
answer = ssm.get_parameters(Names=["/web/dev/password", "/web/dev/none", "/web/dev/hosts"], WithDecryption=True)
assert [entry["Value"] for entry in answer["Parameters"]] == ["s3cret", "a,b"], answer
assert answer["InvalidParameters"] == ["/web/dev/none"], answer
assert ssm.get_parameter(Name="/web/dev/password")["Parameter"]["Value"] != "s3cret"
assert ssm.get_parameters(Names=["/web/dev/hosts"])["InvalidParameters"] == []

for number in range(23):
    ssm.put_parameter(Name=f"/many/{number:02}", Value=str(number), Type="String")
ssm.put_parameter(Name="/many/deep/one", Value="1", Type="String")
pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/many"))
assert [len(page["Parameters"]) for page in pages] == [10, 10, 3]
names = [entry["Name"] for page in ssm.get_paginator("get_parameters_by_path").paginate(Path="/many/", Recursive=True) for entry in page["Parameters"]]
assert len(names) == 24 and names == sorted(names), names
assert ssm.get_parameters_by_path(Path="/manyfold")["Parameters"] == []

history = ssm.get_parameter_history(Name="/web/dev/colour")["Parameters"]
assert [(entry["Version"], entry["Value"]) for entry in history] == [(1, "blue"), (2, "red")], history
assert history[0]["LastModifiedUser"].endswith(":user/ovenbird")

# A parameter that names an image: where there is none, AWS answers and writes nothing.
image = register(ec2, "pointed at", snapshot_of(ec2, ebs, {0: block(1)}))
ssm.put_parameter(Name="/ovenbird/web/dev", Value=image, Type="String", DataType="aws:ec2:image")
ssm.put_parameter(Name="/ovenbird/web/dev", Value="ami-0123456789abcdef0", Type="String", DataType="aws:ec2:image", Overwrite=True)
found = ssm.get_parameter(Name="/ovenbird/web/dev")["Parameter"]
assert found["Value"] == image and found["Version"] == 1 and found["DataType"] == "aws:ec2:image", found
refused("ValidationException", ssm.put_parameter, Name="/x", Value="web", Type="String", DataType="aws:ec2:image")

# Name spaces: other accounts and Regions see nothing of it.
refused("ParameterNotFound", other("ssm").get_parameter, Name="/web/dev/colour")
refused("ParameterNotFound", client("ssm", "eu-west-1").get_parameter, Name="/web/dev/colour")
ssm.delete_parameter(Name="/web/dev/colour")
refused("ParameterNotFound", ssm.delete_parameter, Name="/web/dev/colour")
