import { Gauge, Registry } from "prom-client";
import type { DeploymentStatus, RecordedDeployment } from "./deployment-status";
import type { Observation } from "./observe";
import type { ReplicationLink } from "./replication";

/** Sets a sample of one metric. */
type Set = (value: number, labels?: Record<string, string>) => void;

const HEALTH_VALUES = { PASS: 0, WARNING: 1, FAIL: 2 } as const;
const OUTCOMES = ["completed", "failed", "rolled_back"] as const;
const MINUTE_SECONDS = 60;

/**
 * A stack's figures for Prometheus. Every metric is declared, whatever could be read; those without a figure have no
 * sample, so that an alert rule sees them as absent and not as zero.
 */
export function metricsOf({ status, links }: Observation): Registry {
	const registry = new Registry();
	const declare = (name: string, help: string, labelNames: string[] = []): Set => {
		const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
		if (labelNames.length === 0) {
			// It would begin as 0.
			gauge.remove();
		}
		return (value, labels = {}) => gauge.set(labels, value);
	};
	declare("deployment_catalog_up", "1 when the catalog could be read")(status === undefined ? 0 : 1);
	declareWindow(declare, status);
	declareToday(declare, status);
	declareColors(declare, status);
	declareDeployments(declare, status);
	declareHealthChecks(declare, status);
	declareReplication(declare, status, links);
	return registry;
}

type Declare = (name: string, help: string, labelNames?: string[]) => Set;

function declareWindow(declare: Declare, status: DeploymentStatus | undefined): void {
	const labels = ["environment"];
	const total = declare("deployments_month", "Deployments of the last 30 days", labels);
	const outcomes = declare("deployments_month_outcomes", "Those that ended, by outcome", [
		...labels,
		"outcome",
	]);
	const rate = declare(
		"deployments_month_success_percent",
		"Of the ended ones, those that succeeded",
		labels,
	);
	const average = declare("deployments_month_average_seconds", "Average time of the ended ones", labels);
	const longest = declare("deployments_month_longest_seconds", "Longest time of the ended ones", labels);
	for (const { environment, ...figures } of status?.metrics ?? []) {
		total(figures.total, { environment });
		outcomes(figures.successful, { environment, outcome: "completed" });
		outcomes(figures.failed, { environment, outcome: "failed" });
		outcomes(figures.rolledBack, { environment, outcome: "rolled_back" });
		rate(figures.successRate, { environment });
		average(figures.averageSeconds, { environment });
		longest(figures.longestSeconds, { environment });
	}
}

function declareToday(declare: Declare, status: DeploymentStatus | undefined): void {
	const total = declare("deployments_today", "Deployments of today");
	const successful = declare("deployments_today_successful", "Deployments of today that succeeded");
	const failed = declare("deployments_today_failed", "Deployments of today that failed");
	const active = declare("deployments_active", "Deployments that run");
	const average = declare(
		"deployments_week_average_seconds",
		"Average time of the last 7 days' successful ones",
	);
	const healthy = declare("deployment_environment_healthy", "1 when the last one that ended succeeded", [
		"environment",
	]);
	if (status === undefined) {
		return;
	}
	const { deployment_health: today, environment_status: environments } = status.health;
	total(today.total_deployments_today);
	successful(today.successful_deployments_today);
	failed(today.failed_deployments_today);
	active(today.active_deployments);
	average(today.avg_deployment_time_minutes * MINUTE_SECONDS);
	for (const { environment, is_healthy: isHealthy } of environments) {
		healthy(isHealthy ? 1 : 0, { environment });
	}
}

function declareColors(declare: Declare, status: DeploymentStatus | undefined): void {
	const release = declare("deployment_release_info", "The release of the last deployment that succeeded", [
		"environment",
		"release",
	]);
	const live = declare("deployment_color_live", "1 for the colour that has the requests", [
		"color",
		"release",
		"database",
	]);
	const generation = declare("deployment_color_generation", "The generation of a colour's database", [
		"color",
	]);
	const applied = declare("deployment_migrations_applied", "Migrations applied to a database in use", [
		"database",
	]);
	if (status === undefined) {
		return;
	}
	if (status.release !== null) {
		release(1, { environment: status.environment.type, release: status.release });
	}
	for (const color of status.colors) {
		const { color: name, database } = color;
		live(color.isLive ? 1 : 0, { color: name, release: color.release ?? "", database });
		generation(color.generation, { color: name });
	}
	for (const database of new Set(status.migrations.map((migration) => migration.database))) {
		const count = status.migrations.filter((each) => each.database === database && each.isApplied).length;
		applied(count, { database });
	}
}

function declareDeployments(declare: Declare, status: DeploymentStatus | undefined): void {
	const running = declare("deployment_running_seconds", "How long the running deployment has run", [
		"release",
	]);
	const result = declare("deployment_last_result", "1 for the outcome of the last one that ended", [
		"outcome",
	]);
	const ended = declare("deployment_last_end_timestamp_seconds", "When the last one ended");
	const seconds = declare("deployment_last_duration_seconds", "How long the last one that ended took");
	const rolledBack = declare("deployment_last_rollback_timestamp_seconds", "When the last rollback began", [
		"type",
	]);
	if (status?.running) {
		running(status.running.seconds ?? 0, { release: status.running.release });
	}
	const last = status?.deployments.find(isEnded);
	if (last !== undefined) {
		for (const outcome of OUTCOMES) {
			result(last.status === outcome ? 1 : 0, { outcome });
		}
		ended(secondsOf(last.completedAt));
		seconds(last.seconds);
	}
	for (const { type, startedAt } of [...(status?.rollbacks ?? [])].reverse()) {
		rolledBack(secondsOf(startedAt), { type });
	}
}

function declareHealthChecks(declare: Declare, status: DeploymentStatus | undefined): void {
	const check = declare("deployment_health_check", "Last result of a check: 0 passed, 1 warning, 2 failed", [
		"check",
		"color",
	]);
	for (const each of status?.healthChecks ?? []) {
		check(HEALTH_VALUES[each.status], { check: each.check, color: each.color ?? "" });
	}
}

function declareReplication(
	declare: Declare,
	status: DeploymentStatus | undefined,
	links: readonly ReplicationLink[],
): void {
	const labels = ["link", "from", "to", "direction"];
	const active = declare("deployment_replication_slot_active", "1 while the other colour reads", labels);
	const lost = declare("deployment_replication_slot_lost", "1 when changes for it are gone for good", labels);
	const bytes = declare("deployment_replication_lag_bytes", "Log that is not confirmed as applied", labels);
	const seconds = declare("deployment_replication_lag_seconds", "What the last change took", labels);
	const nodes = new Map((status?.colors ?? []).map((color) => [color.generation, color]));
	for (const link of links) {
		const source = nodes.get(link.from);
		const target = nodes.get(link.to);
		const each = {
			link: link.name,
			from: source ? `${source.color}-${link.from}` : String(link.from),
			to: target ? `${target.color}-${link.to}` : String(link.to),
			direction: source?.isLive ? "from_live" : target?.isLive ? "to_live" : "unknown",
		};
		active(link.active ? 1 : 0, each);
		lost(link.walStatus === "lost" ? 1 : 0, each);
		bytes(link.lagBytes, each);
		if (link.lagSeconds !== null) {
			seconds(link.lagSeconds, each);
		}
	}
}

type EndedDeployment = RecordedDeployment & { completedAt: string; seconds: number };

function isEnded(deployment: RecordedDeployment): deployment is EndedDeployment {
	return deployment.completedAt !== null && deployment.seconds !== null;
}

const MILLISECONDS = 1000;

function secondsOf(instant: string): number {
	return Date.parse(instant) / MILLISECONDS;
}
