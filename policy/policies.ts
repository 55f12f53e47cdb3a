import type { Policies } from "@pulumi/policy";
import {
	databaseForcesTls,
	databaseIsEncrypted,
	databaseIsPrivate,
	databaseIsProtected,
} from "./aws/databases";
import {
	httpsListenerIsModern,
	plainListenerForwardsNothing,
	plainRuleForwardsNothing,
} from "./aws/listeners";
import { resourceIsTagged } from "./aws/tags";
import { taskHasNoPlainSecret, taskImageHasDigest } from "./aws/tasks";
import { connectionIsEncrypted, providerIsEncrypted } from "./database/connections";
import { databaseIsOnLoopback } from "./docker/databases";
import { containerIsNotPrivileged } from "./docker/host-rights";
import { containerImageIsPinned } from "./docker/images";
import { containerHasNoPlainSecret } from "./docker/secrets";
import { healthBeforeTraffic } from "./release/health-before-traffic";
import { migrationsAreApproved } from "./release/migrations-approved";
import { resourcePolicy, stackPolicy } from "./rule";
import { enforcementIn, type Stack } from "./stack";

/** Every rule, as CrossGuard holds a stack to it. */
export function policiesFor(stack: Stack): Policies {
	const level = enforcementIn(stack.environment);
	return [
		resourcePolicy(databaseIsEncrypted, stack, level),
		resourcePolicy(databaseIsPrivate, stack, level),
		resourcePolicy(databaseIsProtected, stack, level),
		resourcePolicy(databaseForcesTls, stack, level),
		resourcePolicy(httpsListenerIsModern, stack, level),
		resourcePolicy(plainListenerForwardsNothing, stack, level),
		stackPolicy(plainRuleForwardsNothing, stack, level),
		resourcePolicy(taskImageHasDigest, stack, level),
		resourcePolicy(taskHasNoPlainSecret, stack, level),
		resourcePolicy(resourceIsTagged, stack, level),
		resourcePolicy(containerImageIsPinned, stack, level),
		resourcePolicy(containerHasNoPlainSecret, stack, level),
		resourcePolicy(containerIsNotPrivileged, stack, level),
		resourcePolicy(databaseIsOnLoopback, stack, level),
		resourcePolicy(providerIsEncrypted, stack, level),
		resourcePolicy(connectionIsEncrypted, stack, level),
		stackPolicy(healthBeforeTraffic, stack, level),
		resourcePolicy(migrationsAreApproved, stack, level),
	];
}
