import { loadMigrations } from "../../../components/migrations/files";
import { planBlueGreen } from "../../../components/release/blue-green";
import { desiredRelease } from "../../../components/release/desired-release";
import type { LastUpdate } from "../../../components/release/last-update";
import { after } from "../../release/support";
import { committedSettings, deployCommitted } from "../committed";
import type { Declared } from "../declared";
import { declaredBy } from "./declared";

type Changes = Record<string, string | undefined>;

export const certificates = { databaseCertificates: "test/platform/aws/certificates.pem" };

/** What the committed production stack declares, with some of its settings changed or left out. */
export function production(changes: Changes = {}, last?: LastUpdate): Promise<Declared[]> {
	return declaredBy(() => deployCommitted("production", { ...certificates, ...changes }, last));
}

/** What that stack has when these releases were deployed one after the other, each with an image of its own. */
export function released(...releases: string[]): LastUpdate {
	return releasedWith(...releases.map((release) => ({ release })));
}

/** The same, each with settings of its own beside it. */
export function releasedWith(...updates: (Changes & { release: string })[]): LastUpdate {
	const releases = updates.map(({ release }) => release);
	const all = loadMigrations("migrations");
	let colors: LastUpdate["colors"];
	let versions: string[] = [];
	updates.forEach(({ release, ...changes }, index) => {
		const migrations = all.filter(({ version }) => version <= release);
		versions = migrations.map(({ version }) => version);
		const serviceImage = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/counting-api@sha256:${String(index + 1).repeat(64)}`;
		const settings = committedSettings("production", { ...certificates, ...changes, release, serviceImage });
		const requiredSchema = versions.at(-1) ?? "none";
		const desired = desiredRelease(settings, { migrations, reversible: [], requiredSchema });
		colors = after(colors, planBlueGreen(colors, desired));
	});
	return {
		release: releases.at(-1) ?? "none",
		completed: releases,
		migrations: versions,
		...(colors && { colors }),
	};
}
