import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { metricsOf } from "../../components/monitoring/metrics";
import { fullObservation } from "./observation";

const FILE = join(__dirname, "..", "..", "monitoring", "alerts.yml");

const text = z.string().min(1);
const rulesSchema = z.strictObject({
	groups: z.array(
		z.strictObject({
			name: text,
			rules: z.array(
				z.strictObject({
					alert: z.string().regex(/^[A-Z][A-Za-z]+$/),
					expr: text,
					for: z
						.string()
						.regex(/^\d+[smh]$/)
						.optional(),
					labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
					annotations: z.strictObject({ summary: text, description: text }),
				}),
			),
		}),
	),
});

const rules = () =>
	rulesSchema.parse(parse(readFileSync(FILE, "utf8"))).groups.flatMap((group) => group.rules);

const isInstalled = spawnSync("promtool", ["--version"]).status === 0;
/** For titles: why a check by Prometheus' own tool is skipped. */
const unlessMissing = isInstalled ? "" : " (skipped: promtool is not on PATH)";

describe("the alert rules", () => {
	it("cover deployments, rollbacks, replication and the catalog, each under a name of its own", () => {
		assert.deepEqual(
			rules().map(({ alert }) => alert),
			[
				"DeploymentFailed",
				"DeploymentRolledBack",
				"DeploymentTakesLong",
				"HealthCheckFailed",
				"ReplicationLagHigh",
				"ReplicationSlotInactive",
				"ReplicationSlotLost",
				"CatalogUnreachable",
			],
		);
	});

	it("ask only for metrics and labels that are exported", async () => {
		const exported = await metricsOf(fullObservation).metrics();
		for (const { alert, expr } of rules()) {
			const asked = [...expr.matchAll(/\b(deployments?_\w+)(?:\{(\w+)="(\w+)"\})?/g)];
			assert.ok(asked.length > 0, alert);
			for (const [, metric, label, value] of asked) {
				const sample = label === undefined ? `\n${metric}` : `\n${metric}{`;
				const line = exported
					.split("\n")
					.find(
						(each) =>
							`\n${each}`.startsWith(sample) && (label === undefined || each.includes(`${label}="${value}"`)),
					);
				assert.ok(
					line,
					`${alert} asks for ${metric}${label ? `{${label}="${value}"}` : ""}, which nothing exports`,
				);
			}
		}
	});

	it("name only labels in their texts that their metric has", async () => {
		const exported = await metricsOf(fullObservation).metrics();
		for (const { expr, annotations } of rules()) {
			const [metric] = /deployments?_\w+/.exec(expr) ?? [];
			const sample = exported.split("\n").find((line) => line.startsWith(`${metric}{`)) ?? "";
			for (const [, label] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) {
				assert.ok(sample.includes(`${label}=`), `${metric} has no label ${label}`);
			}
		}
	});

	it(`are what Prometheus takes${unlessMissing}`, function () {
		if (!isInstalled) {
			this.skip();
		}
		const checked = execFileSync("promtool", ["check", "rules", FILE], { encoding: "utf8" });
		assert.match(checked, /SUCCESS: 8 rules found/);
	});

	it(`are fed by an exposition that Prometheus has nothing against${unlessMissing}`, async function () {
		if (!isInstalled) {
			this.skip();
		}
		const input = await metricsOf(fullObservation).metrics();
		const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
			input,
			encoding: "utf8",
		});
		assert.equal(status, 0, stdout + stderr);
	});
});
