import { testReads, testRefusals } from "./api/over-http";
import { testWrites } from "./api/rolled-back";
import { runProgram } from "./report";
import { readSurroundings, serviceUrl } from "./surroundings";

runProgram(async (report) => {
	const surroundings = readSurroundings(process.env);
	const url = serviceUrl(surroundings);
	await testReads(url, surroundings.release, report);
	await testRefusals(url, surroundings.writes, report);
	await testWrites(url, surroundings, report);
});
