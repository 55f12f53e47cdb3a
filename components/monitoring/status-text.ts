import type { DeploymentStatus, RecordedDeployment } from "./deployment-status";
import type { Observation } from "./observe";
import type { ReplicationLink } from "./replication";
import { duration, moment, table } from "./text";

/** What `npm run status` shows of a stack, in lines of a terminal. */
export function statusText({ status, links, faults }: Observation): string {
	const sections = status === undefined ? [] : sectionsOf(status, links);
	const told =
		faults.length === 0 ? [] : [["Not all of it could be asked:", ...faults.map((fault) => `  ${fault}`)]];
	return [...sections, ...told].map((lines) => lines.join("\n")).join("\n\n");
}

function sectionsOf(status: DeploymentStatus, links: readonly ReplicationLink[]): string[][] {
	const { environment, traffic, release, takenAt } = status;
	const { stack, type, strategy, platform } = environment;
	const head = [
		`${stack} (${type}, ${strategy ?? "unknown strategy"} on ${platform ?? "unknown platform"})`,
		`  release ${release ?? "none yet"}${traffic ? `, live on ${traffic.live}, ${traffic.status}` : ""}`,
		`  as of ${moment(takenAt)}`,
	];
	return [
		head,
		section("Colours", colorLines(status)),
		section("Replication", linkLines(status, links)),
		section("Migrations", migrationLines(status)),
		section(status.running ? "Running" : "Last deployment", deploymentLines(status)),
		section("Health", healthLines(status)),
		section("Last deployments", table(status.deployments.map(deploymentRow))),
		section("Last rollbacks", rollbackLines(status)),
		section("Last 30 days", metricLines(status)),
	].filter((lines) => lines.length > 0);
}

function section(title: string, lines: string[]): string[] {
	return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function colorLines({ colors }: DeploymentStatus): string[] {
	return table(
		colors.map(({ color, isLive, generation, release, database, host, port }) => [
			`${color}-${generation}`,
			isLive ? "live" : "idle",
			`release ${release ?? "unknown"}`,
			`${database} at ${host}:${port}`,
		]),
	);
}

function linkLines({ colors }: DeploymentStatus, links: readonly ReplicationLink[]): string[] {
	const nameOf = (generation: number) =>
		`${colors.find((color) => color.generation === generation)?.color ?? "generation"}-${generation}`;
	return table(
		links.map(({ from, to, active, walStatus, lagBytes, lagSeconds }) => [
			`${nameOf(from)} to ${nameOf(to)}`,
			walStatus === "lost" ? "has lost changes" : active ? "going on" : "stopped",
			`${(lagBytes / 1e6).toFixed(1)} MB behind`,
			lagSeconds === null ? "" : `${lagSeconds.toFixed(1)} s`,
		]),
	);
}

function migrationLines({ migrations }: DeploymentStatus): string[] {
	const databases = [...new Set(migrations.map(({ database }) => database))];
	return databases.flatMap((database) => {
		const own = migrations.filter((each) => each.database === database);
		const applied = own.filter(({ isApplied }) => isApplied);
		const newest = applied.at(-1);
		const head = `${database}: ${applied.length} applied${newest ? `, newest ${newest.version} ${newest.name}` : ""}`;
		const open = own.filter(({ status }) => ["pending", "running", "failed"].includes(status));
		return [
			head,
			...open.map(({ version, name, status, error }) => `  ${version} ${name}: ${status}${because(error)}`),
		];
	});
}

function deploymentLines({ running, deployments }: DeploymentStatus): string[] {
	const shown = running ?? deployments[0];
	if (shown === undefined) {
		return [];
	}
	const { id, release, status, seconds, triggeredBy, error } = shown;
	const time = seconds === null ? "" : `, ${duration(seconds)}`;
	return [
		`deployment ${id}: release ${release}, ${words(status)}${time}${triggeredBy ? `, by ${triggeredBy}` : ""}${because(error)}`,
		...table(
			shown.stages.map((stage) => [
				`  ${stage.order}. ${stage.name}`,
				words(stage.status),
				stage.durationMs === null ? "" : duration(stage.durationMs / 1000),
				firstLine(stage.error ?? stage.output),
			]),
		),
	];
}

function healthLines({ healthChecks }: DeploymentStatus): string[] {
	return table(
		healthChecks.map(({ color, check, status, figure, unit, detail, checkedAt }) => [
			color ?? "",
			check,
			status,
			figure === null ? "" : `${figure} ${unit ?? ""}`.trim(),
			moment(checkedAt),
			firstLine(detail),
		]),
	);
}

function deploymentRow(deployment: RecordedDeployment): string[] {
	const { id, release, status, startedAt, seconds, performance, error } = deployment;
	return [
		String(id),
		release,
		words(status),
		startedAt === null ? "" : moment(startedAt),
		seconds === null ? "" : duration(seconds),
		performance ?? "",
		firstLine(error),
	];
}

function rollbackLines({ rollbacks }: DeploymentStatus): string[] {
	return table(
		rollbacks.map(({ deploymentId, type, reason, from, to, status, startedAt }) => [
			String(deploymentId),
			`${from ?? "?"} to ${to ?? "?"}`,
			words(type),
			words(status),
			moment(startedAt),
			firstLine(reason),
		]),
	);
}

function metricLines({ metrics }: DeploymentStatus): string[] {
	return metrics.map(
		({ environment, total, successful, failed, rolledBack, successRate, averageSeconds, longestSeconds }) =>
			`${environment}: deployments ${total}, successful ${successful}, failed ${failed}, rolled back ${rolledBack} ` +
			`(${successRate} %); ${duration(averageSeconds)} on average, ${duration(longestSeconds)} at most`,
	);
}

/** Columns as wide as their longest text. */
function words(status: string): string {
	return status.replaceAll("_", " ");
}

function because(error: string | null): string {
	return error === null ? "" : ` (${firstLine(error)})`;
}

function firstLine(text: string | null): string {
	return text?.split("\n")[0] ?? "";
}
