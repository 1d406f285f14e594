"""Deploys template.yaml into moto for each kind of region, as far as moto goes, and tries the custom resource's code on moto's DynamoDB.

moto is a simulation that knows about half of the types here, and checks little. It shows that what it knows can be made, with every reference between those resolved.
"""
import json
import os
import sys
import types
import warnings

warnings.simplefilter("ignore")
os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")

import boto3
from botocore.stub import Stubber
from moto import mock_aws
from moto.cloudformation.parsing import resource_class_from_type
from samtranslator.translator.transform import transform
from sam_transform import NoManagedPolicies, load

# Its own of these want what other types, which it does not know, would have made; or a container to run code in, which find_stream and give_first_record run here.
BROKEN = {"Custom::ItemsStream", "Custom::FirstRecord", "AWS::Lambda::Version", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"}
TYPICAL = {"ServiceName": "app.example.com", "JwtIssuer": "https://issuer.example.com/", "JwtAudience": "items"}


def names_in(node):
    """What a resource refers to."""
    if isinstance(node, dict):
        own = {str(value if name == "Ref" else value[0]) for name, value in node.items() if name in ("Ref", "Fn::GetAtt")}
        return own.union(*(names_in(value) for value in node.values()))
    return set().union(*(names_in(value) for value in node)) if isinstance(node, list) else set()


def deploy(region, **given):
    template = load("template.yaml")
    zone = boto3.client("route53").create_hosted_zone(Name="example.com", CallerReference=region)["HostedZone"]["Id"].split("/")[-1]
    parameters = {name: str(parameter.get("Default", "x")) for name, parameter in template["Parameters"].items()}
    parameters.update(TYPICAL, HostedZoneId=zone, **given)
    stack = transform(template, {**parameters, "AWS::Region": region}, NoManagedPolicies())
    unknown = {resource["Type"] for resource in stack["Resources"].values() if resource["Type"] in BROKEN or not resource_class_from_type(resource["Type"])}
    kept = {name: resource for name, resource in stack["Resources"].items() if resource["Type"] not in unknown}
    while (left := {name: resource for name, resource in kept.items() if names_in(resource) & stack["Resources"].keys() <= kept.keys()}) != kept:
        kept = left
    stack["Resources"] = kept
    stack["Outputs"] = {}
    cloudformation = boto3.client("cloudformation", region_name=region)
    cloudformation.create_stack(
        StackName="failover", TemplateBody=json.dumps(stack), Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])
    status = cloudformation.describe_stacks(StackName="failover")["Stacks"][0]["StackStatus"]
    made = {resource.get("LogicalResourceId") for resource in cloudformation.list_stack_resources(StackName="failover")["StackResourceSummaries"]}
    print(f"{region}: {status}, {len(made)} resources; moto does not know {len(unknown)} of their types")
    assert status == "CREATE_COMPLETE", status
    return made


def code_of(function):
    """A custom resource's own code, with CloudFormation's end of it held here: its handler, and what it answers."""
    code = load("template.yaml")["Resources"][function]["Properties"]["Code"]["ZipFile"]
    answers = []
    response = types.ModuleType("cfnresponse")
    response.SUCCESS, response.FAILED = "SUCCESS", "FAILED"
    response.send = lambda event, context, status, data, physical, reason=None: answers.append((status, data, physical, reason))
    sys.modules["cfnresponse"] = response
    module = {}
    exec(compile(code, function, "exec"), module)
    os.environ["AWS_REGION"] = "us-east-1"
    return module["handler"], answers


def find_stream():
    handler, answers = code_of("StreamFinder")

    def ask(kind, table):
        handler({"RequestType": kind, "ResourceProperties": {"TableName": table}}, None)
        return answers[-1]

    def make(name, key="id", **stream):
        boto3.client("dynamodb").create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}], KeySchema=[{"AttributeName": key, "KeyType": "HASH"}], **stream)

    absent = ask("Create", "Items")
    make("Plain")
    make("Other", key="pk")
    make("Keys", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    make("Items", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    stream = boto3.client("dynamodb").describe_table(TableName="Items")["Table"]["LatestStreamArn"]
    assert absent[0] == "FAILED" and "no table Items in us-east-1" in absent[3], absent
    assert ask("Create", "Plain")[0] == "FAILED" and "has no stream" in answers[-1][3], answers[-1]
    assert ask("Create", "Other")[0] == "FAILED" and "another key than id" in answers[-1][3], answers[-1]
    assert ask("Update", "Keys")[0] == "FAILED" and "NEW_AND_OLD_IMAGES" in answers[-1][3], answers[-1]
    assert ask("Create", "Items") == ("SUCCESS", {"Arn": stream}, "items-stream", None), answers[-1]
    assert ask("Delete", "Gone") == ("SUCCESS", {}, "items-stream", None), answers[-1]
    print("The custom resource finds the stream, and says what is wrong where there is none.")


def give_first_record():
    handler, answers = code_of("FirstRecorder")
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="first")["HostedZone"]["Id"].split("/")[-1]

    def ask(kind, name, target):
        handler({"RequestType": kind, "ResourceProperties": {"Zone": zone, "Name": name, "Target": target}}, None)
        return answers[-1]

    def serving(name):
        return [record["AliasTarget"]["DNSName"] for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] if record["Name"] == name + "." and record["Type"] == "A"]

    assert ask("Create", "app.example.com", "us-east-1.app.example.com")[0] == "SUCCESS" and serving("app.example.com") == ["us-east-1.app.example.com"], (answers, serving("app.example.com"))
    # moto creates a record twice; Route 53 refuses, in these words.
    made = boto3.client
    for words, outcome in (("[Tried to create resource record set [name='app.example.com.', type='A'] but it already exists]", "SUCCESS"), ("[RRSet with DNS name app.example.com. is not permitted in zone example.org.]", "FAILED")):
        client = made("route53")
        with Stubber(client) as stub:
            stub.add_client_error("change_resource_record_sets", "InvalidChangeBatch", words)
            boto3.client = lambda _: client
            assert ask("Update", "app.example.com", "us-west-2.app.example.com")[0] == outcome, answers[-1]
        boto3.client = made
    assert ask("Delete", "app.example.com", "us-east-1.app.example.com")[0] == "SUCCESS" and serving("app.example.com") == ["us-east-1.app.example.com"], (answers, serving("app.example.com"))
    zone = "Z0000000000000OTHER"
    assert ask("Create", "app.example.com", "us-east-1.app.example.com")[0] == "FAILED" and answers[-1][3], answers[-1]
    print("The name gets its first record, and nothing touches one that is there.")


with mock_aws():
    boto3.client("s3").create_bucket(Bucket="bucket")
    owner = deploy("us-east-1", OwnsTables="yes", AlertsEmail="oncall@example.com")
    assert {"Journal", "ItemApi", "ItemApiRole", "ReplicationAudit", "HealthCheck", "Alerts", "Dashboard", "Ticks", "AuditQueue"} - owner <= set(), owner
with mock_aws():
    boto3.client("s3").create_bucket(Bucket="bucket")
    other = deploy("us-west-2")
    assert "StreamFinder" in other and "StreamFinder" not in owner and "FirstRecorder" in owner and "FirstRecorder" not in other, other
with mock_aws():
    boto3.client("s3").create_bucket(Bucket="bucket")
    adopting = deploy("us-east-1", OwnsTables="yes", AdoptsItems="yes", ItemsTable="Orders")
    assert "StreamFinder" in adopting, adopting
with mock_aws():
    boto3.client("s3").create_bucket(Bucket="bucket")
    observer = deploy("us-east-2", ServesItems="no", Lever="Switch", MakesSwitch="yes")
    assert "ItemApi" not in observer and {"HealthCheck", "SwitchCheck", "SwitchCheck1", "PrimaryRecord", "SecondaryRecord"} <= observer, observer
with mock_aws():
    find_stream()
with mock_aws():
    give_first_record()
