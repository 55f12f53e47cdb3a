import { policyFindings } from "./policy";
import { runProgram } from "./report";
import { readSurroundings } from "./surroundings";

runProgram(async (report) => {
	const { environment, settings } = readSurroundings(process.env);
	for (const { name, problem } of policyFindings(environment, settings)) {
		if (problem === undefined) {
			report.pass(name);
		} else {
			report.fail(name, problem);
		}
	}
});
