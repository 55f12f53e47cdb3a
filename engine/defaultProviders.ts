/** The provider resources that the engine makes where the program names none. */
import { valid } from "semver";
import type { Setting } from "./config";
import { EngineError } from "./errors";
import type { Goal } from "./goal";
import type { ResourceState } from "./state";
import { providerReference, providerType } from "./urn";
import { type PropertyMap, Secret, setKey } from "./values";

/** A package as a request names it. */
export interface PackageRequest {
	pkg: string;
	version: string;
	pluginDownloadUrl: string;
}

/** Packages whose provider gets the whole configuration, keys with their namespace. */
const DYNAMIC = new Set(["pulumi-nodejs", "pulumi-python"]);

export class DefaultProviders {
	private readonly references = new Map<string, Promise<string>>();

	/** @param register registers a goal and resolves with its state */
	constructor(
		private readonly settings: Setting[],
		private readonly register: (goal: Goal) => Promise<ResourceState>,
	) {}

	/** `<urn>::<id>` of the default provider for a package and version; made when first asked for. */
	reference(request: PackageRequest): Promise<string> {
		const name = defaultName(request);
		const key = `${request.pkg}\n${name}`;
		let reference = this.references.get(key);
		if (reference === undefined) {
			reference = this.make(request, name);
			this.references.set(key, reference);
		}
		return reference;
	}

	private async make(request: PackageRequest, name: string): Promise<string> {
		this.refuseDisabled(request.pkg);
		const state = await this.register({
			type: providerType(request.pkg),
			name,
			custom: true,
			properties: this.inputsFor(request),
			parent: "",
			protect: undefined,
			dependencies: [],
			provider: "",
			propertyDependencies: {},
			deleteBeforeReplace: undefined,
			ignoreChanges: [],
			additionalSecretOutputs: [],
			aliases: [],
			customTimeouts: {},
			replaceOnChanges: [],
			retainOnDelete: undefined,
			deletedWith: "",
			sourcePosition: "",
			stackTrace: [],
		});
		return providerReference(state.urn, state.id);
	}

	private inputsFor({ pkg, version, pluginDownloadUrl }: PackageRequest): PropertyMap {
		const inputs: PropertyMap = {};
		for (const { key, value, secret } of this.settings) {
			const [namespace = "", ...rest] = key.split(":");
			if (!DYNAMIC.has(pkg) && namespace !== pkg) continue;
			setKey(inputs, DYNAMIC.has(pkg) ? key : rest.join(":"), secret ? new Secret(value) : value);
		}
		if (version !== "") setVersion(inputs, version);
		if (pluginDownloadUrl !== "") setDownloadUrl(inputs, pluginDownloadUrl);
		return inputs;
	}

	private refuseDisabled(pkg: string): void {
		const setting = this.settings.find(({ key }) => key === "pulumi:disable-default-providers");
		if (pkg === "pulumi" || setting === undefined || setting.value === "") return;
		const disabled: unknown = JSON.parse(setting.value);
		if (!Array.isArray(disabled)) throw new EngineError(`${setting.key} must be a list of package names`);
		if (disabled.some((name) => name === "*" || name === pkg)) {
			throw new EngineError(`Default provider for '${pkg}' disabled. An explicit provider must be passed.`);
		}
	}
}

/** `default`, with the version and the download address when there are such. */
function defaultName({ version, pluginDownloadUrl }: PackageRequest): string {
	const suffix = version === "" ? "" : `_${version.replace(/[^0-9A-Za-z]/g, "_")}`;
	const url = pluginDownloadUrl === "" ? "" : `_${pluginDownloadUrl.replace(/[^0-9A-Za-z_.]/g, "_")}`;
	return `default${suffix}${url}`;
}

/** Inputs of a provider resource that tell the CLI which plugin to use. */
export function setVersion(inputs: PropertyMap, version: string): void {
	if (valid(version) === null) throw new EngineError(`passed invalid version: ${version}`);
	inputs.__internal ??= {};
	inputs.version = version;
}

export function setDownloadUrl(inputs: PropertyMap, url: string): void {
	inputs.__internal = { ...((inputs.__internal as PropertyMap | undefined) ?? {}), pluginDownloadURL: url };
}
