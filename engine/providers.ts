/** Which packages the engine can serve, and how. */
import { EngineError } from "./errors";
import { createPostgresqlProvider } from "./postgresql/provider";
import type { ProviderFactory } from "./provider";

/** Factories by package name; loaded when a program first uses the package. */
export type ProviderFactories = { [pkg: string]: () => Promise<ProviderFactory> };

export const embeddedProviders: ProviderFactories = {
	postgresql: async () => createPostgresqlProvider,
};

/** @throws EngineError for a package that needs the Pulumi CLI. */
export async function factoryOf(pkg: string, factories: ProviderFactories): Promise<ProviderFactory> {
	const load = Object.hasOwn(factories, pkg) ? factories[pkg] : undefined;
	if (load === undefined) {
		throw new EngineError(
			`the embedded engine has no provider for package '${pkg}' (it has pulumi-nodejs, ` +
				`${Object.keys(factories).join(", ")}); install the Pulumi CLI (https://www.pulumi.com/docs/install) to deploy it`,
		);
	}
	return load();
}
