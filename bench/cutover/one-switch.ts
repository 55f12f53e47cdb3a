import { type CutoverLimits, cutover, type Side } from "../../components/traffic/cutover";
import { GatewayRouter } from "../../components/traffic/local/gateway-router";

/** What a process that switches once is told. */
export interface SwitchOrder {
	from: Side;
	to: Side;
	stateFile: string;
	limits: CutoverLimits;
}

// A process of its own for each switch, as each update is one. It says when it is loaded: on a machine that runs
// everything, its start would be measured otherwise.
process.send?.("loaded");
process.once("message", ({ from, to, stateFile, limits }: SwitchOrder) => {
	cutover({ from, to, router: new GatewayRouter(stateFile), limits, log: () => {} }).then(
		(report) => process.send?.(report, () => process.disconnect()),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
});
