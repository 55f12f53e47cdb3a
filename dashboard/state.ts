import type { EnvironmentMirror } from "../components/catalog/environments";

/**
 * What the page shows, section by section; a section that changed is sent whole. Times are in ISO 8601, durations in
 * milliseconds. Nothing in it is secret.
 */
export interface DashboardState {
	environment: Environment | null;
	traffic: Traffic;
	migrations: MigrationRow[];
	/** The newest deployment, under way or not; null before the first. */
	pipeline: Pipeline | null;
	/** The newest result of each check of each colour. */
	checks: HealthCheck[];
	lag: Lag | null;
	/** Those begun within the last 30 days, newest first. */
	deployments: PastDeployment[];
	/** Newest first. */
	rollbacks: Rollback[];
	catalog: CatalogReach;
}

export type Color = "blue" | "green";

export interface Environment extends Omit<EnvironmentMirror, "name" | "type"> {
	stack: string;
	type: string;
}

export interface Traffic {
	/** Null where there are no colours, as in place, and before one of them has got the traffic. */
	live: Color | null;
	/** What is going on with the colours: idle, deploying, switching, completed, failed. */
	status: string | null;
	switchStartedAt: string | null;
	switchCompletedAt: string | null;
	/** Whether the last switch was one back. */
	wentBack: boolean;
	colors: ColorState[];
	/** The release that serves; null before the first deployment has been completed. */
	release: string | null;
}

export interface ColorState {
	color: Color;
	/** Null before the colour has a database. */
	database: string | null;
	address: string | null;
	/** Null where it was deployed before the catalog kept it. */
	release: string | null;
	generation: number | null;
	/** The next generation of this colour, while it is being built. */
	building: { database: string; generation: number; release: string } | null;
}

export interface MigrationRow {
	version: string;
	name: string;
	type: string;
	/** By database, as `blue`, `green`, `building`, or `database` where there is only one. */
	on: Record<string, MigrationState>;
}

export interface MigrationState {
	status: string;
	applied: boolean;
	appliedAt: string | null;
	durationMs: number | null;
	error: string | null;
}

export interface Pipeline {
	id: number;
	name: string;
	release: string;
	status: string;
	startedAt: string | null;
	completedAt: string | null;
	triggeredBy: string | null;
	commit: string | null;
	branch: string | null;
	error: string | null;
	stages: Stage[];
	/** The newest lines of its execution log, oldest first. */
	steps: Step[];
}

export interface Stage {
	order: number;
	name: string;
	type: string;
	status: string;
	startedAt: string | null;
	completedAt: string | null;
	durationMs: number | null;
	/** The end of what it said. */
	output: string | null;
	error: string | null;
}

export interface Step {
	id: number;
	/** The migration that it belongs to, as `1.2.0 create_cameras`. */
	migration: string | null;
	step: string;
	status: string;
	durationMs: number | null;
	error: string | null;
	at: string;
}

export interface HealthCheck {
	color: string | null;
	name: string;
	/** PASS, WARNING or FAIL. */
	status: string;
	figure: number | null;
	unit: string | null;
	detail: string | null;
	checkedAt: string;
}

export interface Lag {
	/** Whether it was measured now at the slots, or is what the newest health check found. */
	source: "slots" | "checks";
	/** Of the values: `bytes`, or as the check has it. */
	unit: string;
	links: LagLink[];
}

export interface LagLink {
	id: string;
	/** Such as `green-2`. */
	from: string;
	to: string;
	/** Whether somebody receives the changes now; null where that is not known. */
	connected: boolean | null;
	value: number;
	/** When a check found it; null when it was measured now. */
	at: string | null;
}

export interface PastDeployment {
	id: number;
	release: string;
	status: string;
	startedAt: string;
	durationMs: number | null;
	triggeredBy: string | null;
	error: string | null;
}

export interface Rollback {
	id: number;
	pipelineId: number;
	type: string;
	reason: string;
	from: string | null;
	to: string | null;
	status: string;
	startedAt: string;
	completedAt: string | null;
	error: string | null;
	steps: { step: string; status: string; durationMs: number | null; backups: string[] }[];
}

/** Whether the catalog answers the dashboard's server; what is shown is as of the last time that it did. */
export type CatalogReach = { reachable: true } | { reachable: false; since: string; reason: string };

/** What a page is sent: sections that are not as they were. */
export interface Change {
	/** The catalog server's clock, by which the page counts how long something has been going on. */
	now: string;
	changed: Partial<DashboardState>;
}
