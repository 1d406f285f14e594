"""Transforms a SAM template as CloudFormation would, and fails where it would refuse."""
import os
import sys

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies(ManagedPolicyLoader):
    """Every function has a role of its own, so that none is asked for."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def load(path):
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    # `sam package` puts the address of the uploaded code here.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    return template


if __name__ == "__main__":
    template = load(sys.argv[1])
    parameters = {name: parameter.get("Default", "x") for name, parameter in template["Parameters"].items()}
    print("The SAM transform accepts it:", len(transform(template, parameters, NoManagedPolicies())["Resources"]), "resources.")
