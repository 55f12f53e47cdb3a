import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";
import type { Settings } from "../settings/settings";

interface DestroyGuardArgs {
	stack: string;
	/** Whether the stack may be destroyed, as of the last update. */
	allowed: boolean;
}

const provider = lateProvider("components/guards/destroy-guard-provider.ts");

/**
 * Keeps a stack from being destroyed. It depends on everything else, so that a destroy begins with it; unless it was
 * allowed by an update before, it ends there.
 */
class DestroyGuard extends pulumi.dynamic.Resource {
	constructor(name: string, args: DestroyGuardArgs, opts: pulumi.CustomResourceOptions) {
		super(provider, name, args, opts, "guards", "DestroyGuard");
	}
}

/** Gives a production stack its guard. Everything else of the stack has to be declared before. */
export function guardDestruction(
	stack: string,
	settings: Pick<Settings, "environment" | "protectDatabases" | "allowDestroy">,
	everything: pulumi.Resource[],
): void {
	if (settings.environment === "production") {
		const allowed = mayDestroy(stack, settings);
		new DestroyGuard("destroy-guard", { stack, allowed }, { dependsOn: everything });
	}
}

/** Two settings have to agree, of which one names the stack: no single slip destroys it. */
export function mayDestroy(
	stack: string,
	{ protectDatabases, allowDestroy }: Pick<Settings, "protectDatabases" | "allowDestroy">,
): boolean {
	return !protectDatabases && allowDestroy === stack;
}
