import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import { lateProvider } from "../provider/late";
import type { MovedRoute } from "../traffic/local/withdraw-route";
import type { DeploymentContext } from "./context";
import { type ListedStage, type StageMoment, stageSlug } from "./stage-list";

export interface StageArgs {
	/** As the catalog and the operator call it. */
	name: string;
	when: StageMoment;
	/** The program and its arguments; no shell reads them. */
	command: string[];
	/** Seconds until it is stopped and has failed. */
	timeoutSeconds: number;
	/** What is tested: another value is something else, which is tested anew. */
	subject: pulumi.Input<string>;
	/** Whether this update brings anything to test; where it does not, no change calls for a run. */
	due: boolean;
	/** Whether the deployment is done with this stage. */
	completes: boolean;
	/** The address of the service, where it runs already. */
	url?: pulumi.Input<string>;
	/** How the traffic came to what is tested, where it has it already: it goes back when the stage fails. */
	route?: { [Key in keyof MovedRoute]: pulumi.Input<MovedRoute[Key]> };
	/** As the role that the service uses. A secret. */
	application: pulumi.Input<Connection>;
	/** Where the deployment is written down. A secret. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/pipeline/stage-provider.ts");

/** A declared stage of the deployment: its command passes, or the release ends here. */
export class Stage extends pulumi.dynamic.Resource {
	/** When it last passed, in ISO 8601. */
	declare readonly ranAt: pulumi.Output<string>;

	constructor(name: string, args: StageArgs, opts?: pulumi.CustomResourceOptions) {
		const { application, context, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				application: pulumi.secret(application),
				context: pulumi.secret(context),
				ranAt: undefined,
			},
			opts,
			"pipeline",
			"Stage",
		);
	}
}

export type TestedArgs = Pick<
	StageArgs,
	"due" | "completes" | "url" | "route" | "application" | "context"
> & {
	/** What the first of them tests. */
	subject: pulumi.Input<string>;
};

/** The declared stages of one moment, one after the other. */
export function declareStages(
	declared: readonly ListedStage[],
	moment: StageMoment,
	args: TestedArgs,
): Stage[] {
	const { completes, subject, ...tested } = args;
	const own = declared.filter(({ when }) => when === moment);
	const stages: Stage[] = [];
	for (const { name, command, timeoutSeconds } of own) {
		stages.push(
			new Stage(`stage-${stageSlug(name)}`, {
				...tested,
				name,
				when: moment,
				command,
				timeoutSeconds,
				// What an earlier one let pass anew, a later one tests anew.
				subject: stages.at(-1)?.ranAt ?? subject,
				completes: completes && stages.length === own.length - 1,
			}),
		);
	}
	return stages;
}
