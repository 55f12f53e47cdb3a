import { PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { policiesFor } from "./policies";
import { stackFrom } from "./stack";

new PolicyPack("camera-counting", {
	policies: policiesFor(stackFrom(pulumi.getProject(), pulumi.runtime.allConfig())),
});
