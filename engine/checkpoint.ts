/** The state file, `.pulumi/stacks/<project>/<stack>.json`. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { EngineError } from "./errors";
import type { Crypter, Decrypter } from "./secrets";
import {
	type OperationType,
	type PendingOperation,
	type ResourceState,
	readResource,
	writeProperties,
	writeResource,
} from "./state";
import type { PropertyMap } from "./values";
import type { JsonMap } from "./wire";

/** The version of the SDK whose protocol the engine speaks; written where the CLI writes its own. */
export const ENGINE_VERSION = "3.248.0";

const Deployment = z.looseObject({
	manifest: z.looseObject({ time: z.string().optional(), version: z.string().optional() }).optional(),
	secrets_providers: z
		.looseObject({ type: z.string(), state: z.looseObject({ salt: z.string().optional() }).nullish() })
		.nullish(),
	resources: z.array(z.record(z.string(), z.json())).nullish(),
	pending_operations: z
		.array(z.object({ resource: z.record(z.string(), z.json()), type: z.string() }))
		.nullish(),
});

const CheckpointFile = z.object({
	version: z.number(),
	features: z.array(z.string()).nullish(),
	checkpoint: z.object({ stack: z.string(), latest: Deployment.nullish() }),
});

/** What `stack export` prints and `stack import` reads. */
export const ExportedDeployment = z.object({
	version: z.number(),
	features: z.array(z.string()).nullish(),
	deployment: Deployment,
});

/** A state file as it stands, secrets still encrypted. */
export interface Checkpoint {
	/** `organization/<project>/<stack>`. */
	stack: string;
	deployment: z.infer<typeof Deployment> | undefined;
	/** The salt line of the passphrase provider. */
	salt: string | undefined;
	resources: JsonMap[];
	/** When it was last written, in ISO form. */
	time: string | undefined;
	version: string | undefined;
}

/**
 * @throws EngineError when the file is no state file, or one that needs the Pulumi CLI.
 */
export function parseCheckpoint(content: unknown, file: string): Checkpoint {
	const result = CheckpointFile.safeParse(content);
	if (!result.success)
		throw new EngineError(`${file} is not a state file:\n${z.prettifyError(result.error)}`);
	const { version, features, checkpoint } = result.data;
	requireSupported(version, features, file);
	const latest = checkpoint.latest ?? undefined;
	return {
		stack: checkpoint.stack,
		deployment: latest,
		salt: saltOf(latest, file),
		resources: latest?.resources ?? [],
		time: latest?.manifest?.time,
		version: latest?.manifest?.version,
	};
}

/** @throws EngineError when a state is of a version, or uses features, that the engine does not know. */
export function requireSupported(version: number, features: string[] | null | undefined, what: string): void {
	if (version < 3 || version > 4) {
		throw new EngineError(
			`${what} has state version ${version}; the embedded engine knows version 3: use the Pulumi CLI`,
		);
	}
	if (features != null && features.length > 0) {
		throw new EngineError(
			`${what} uses ${features.join(", ")}, which the embedded engine has not: use the Pulumi CLI`,
		);
	}
}

/** @throws EngineError when the secrets are kept by anything but a passphrase. */
export function saltOf(deployment: z.infer<typeof Deployment> | undefined, what: string): string | undefined {
	const provider = deployment?.secrets_providers;
	if (provider == null || provider.type === "") return undefined;
	if (provider.type !== "passphrase") {
		throw new EngineError(
			`${what} keeps its secrets with ${provider.type}; the embedded engine knows passphrases only: use the Pulumi CLI`,
		);
	}
	return provider.state?.salt;
}

export interface Snapshot {
	resources: ResourceState[];
	operations: PendingOperation[];
}

/** Reads the resources, secrets decrypted. */
export function readSnapshot(checkpoint: Checkpoint, crypter: Decrypter | undefined): Snapshot {
	return {
		resources: checkpoint.resources.map((resource) => readResource(resource, crypter)),
		operations: (checkpoint.deployment?.pending_operations ?? []).map((operation) => ({
			resource: readResource(operation.resource, crypter),
			type: operation.type as OperationType,
		})),
	};
}

/** Property maps are never changed once a state has them, so their text can be kept. */
const texts = new WeakMap<PropertyMap, string>();

function propertiesText(map: PropertyMap, crypter: Crypter): string {
	let text = texts.get(map);
	if (text === undefined) {
		text = JSON.stringify(writeProperties(map, crypter));
		texts.set(map, text);
	}
	return text;
}

function resourceText(state: ResourceState, crypter: Crypter): string {
	const fields = writeResource({ ...state, inputs: {}, outputs: {} }, crypter);
	const parts: string[] = [];
	for (const [key, value] of Object.entries(fields)) {
		parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
		if (key !== "type") continue;
		if (Object.keys(state.inputs).length > 0) parts.push(`"inputs":${propertiesText(state.inputs, crypter)}`);
		if (Object.keys(state.outputs).length > 0)
			parts.push(`"outputs":${propertiesText(state.outputs, crypter)}`);
	}
	return `{${parts.join(",")}}`;
}

function secretsText(crypter: Crypter): string {
	return JSON.stringify({ type: "passphrase", state: { salt: crypter.salt } });
}

/** The state file's text. */
export function checkpointText(stack: string, snapshot: Snapshot, crypter: Crypter): string {
	const magic = createHash("sha256").update(ENGINE_VERSION).digest("hex");
	const manifest = JSON.stringify({ time: new Date().toISOString(), magic, version: ENGINE_VERSION });
	const parts = [`"manifest":${manifest}`, `"secrets_providers":${secretsText(crypter)}`];
	if (snapshot.resources.length > 0) {
		parts.push(`"resources":[${snapshot.resources.map((state) => resourceText(state, crypter)).join(",")}]`);
	}
	if (snapshot.operations.length > 0) {
		const operations = snapshot.operations.map(
			({ resource, type }) =>
				`{"resource":${resourceText(resource, crypter)},"type":${JSON.stringify(type)}}`,
		);
		parts.push(`"pending_operations":[${operations.join(",")}]`);
	}
	parts.push('"metadata":{}');
	return `{"version":3,"checkpoint":{"stack":${JSON.stringify(stack)},"latest":{${parts.join(",")}}}}`;
}
