import { startedServices } from "../../service/local/process";
import type { Target } from "../routing";
import { routerState } from "./router-file";

/**
 * The services of one colour that the gateway knows as targets, by their files.
 *
 * @param stateFile the gateway's state file
 * @param directory the folder of the colour's services
 */
export function colorTargets(stateFile: string, directory: string): Target[] {
	const targets = routerState(stateFile)?.targets ?? {};
	const started = new Set(startedServices(directory).map(({ instance }) => instance));
	return Object.entries(targets)
		.filter(([targetGroup]) => started.has(targetGroup))
		.map(([targetGroup, { url }]) => ({ targetGroup, url }));
}
