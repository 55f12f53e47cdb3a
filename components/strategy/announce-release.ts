import * as pulumi from "@pulumi/pulumi";
import { describePlan } from "../migrations/describe";
import { DatabaseUnavailableError } from "../migrations/error";
import { status } from "../migrations/status";
import type { DeploymentContext } from "../pipeline/context";
import type { BlueGreenPlan } from "../release/blue-green";
import type { StackInputs } from "../release/stack";
import { describeFindings } from "../replication/finding";
import { liveFindings } from "../replication/live-findings";
import type { ColorStack } from "./color-stack";

/**
 * Tells what an update will do with the colours. A preview also shows the SQL of the migrations that would run on the
 * new colour, and what stands against keeping it in step meanwhile; an error among that fails the preview.
 */
export function announceRelease(
	plan: BlueGreenPlan,
	inputs: StackInputs,
	live: ColorStack,
	idle: ColorStack | undefined,
): void {
	if (plan.kind !== "same" || pulumi.runtime.isDryRun()) {
		void pulumi.log.info(plan.summary.join("\n"));
	} else if (plan.restart !== undefined) {
		void pulumi.log.info(plan.restart);
	}
	if (!pulumi.runtime.isDryRun()) {
		return;
	}
	const { migrations, settings } = inputs;
	if (plan.kind === "first") {
		const found = {
			applied: [],
			plan: { apply: [...migrations], undo: [], problems: [] },
			stored: new Map(),
		};
		pulumi.output(true).apply(async () => show(await describePlan(found), live));
	} else if (plan.kind === "build") {
		// Nothing can be asked of the colour that is yet to be; what it begins with is the live one.
		idle?.context.apply((context) => announceBuild(context, inputs, settings.allowOutOfOrder, live));
	}
}

async function announceBuild(
	context: DeploymentContext,
	{ migrations }: StackInputs,
	allowOutOfOrder: boolean,
	fresh: ColorStack,
): Promise<void> {
	const { target } = context;
	try {
		const found = await status({ target, wanted: [...migrations], allowOutOfOrder });
		const text = await describePlan(found);
		if (found.plan.problems.length > 0) {
			throw new pulumi.RunError(text);
		}
		await show(text, fresh);
		const findings = await liveFindings(target, migrations);
		await show(describeFindings(findings), fresh);
		if (findings.some(({ severity }) => severity === "error")) {
			throw new pulumi.RunError(`release ${context.release} cannot be built beside the live one: see above`);
		}
	} catch (error) {
		// A preview while the server is down: bringing it up is its own step, and shown as that.
		if (!(error instanceof DatabaseUnavailableError)) {
			throw error;
		}
	}
}

async function show(text: string, resource: pulumi.Resource): Promise<void> {
	if (text !== "") {
		await pulumi.log.info(text, resource);
	}
}
