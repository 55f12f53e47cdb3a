import { join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { projectDirectory } from "./project";

// `npm run setup`: installs the Pulumi CLI for this clone alone, next to its state.
PulumiCommand.install({ root: join(projectDirectory, ".local", "cli") }).then(
	({ command, version }) => console.log(`Pulumi CLI ${version} installed: ${command}`),
	(error: unknown) => {
		console.error(
			"The Pulumi CLI could not be installed; that needs the internet. The embedded engine goes on being used.\n" +
				(error instanceof Error ? error.message : String(error)),
		);
		process.exitCode = 1;
	},
);
