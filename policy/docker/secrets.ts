import { isKnownText, rawValue } from "../known";
import { commandHoldsPassword, plainSecrets } from "../plain-secret";
import type { ResourceRule } from "../rule";
import { type ContainerProps, isContainer } from "./container";

const MEND = "hand it over as a file";

export const containerHasNoPlainSecret: ResourceRule<ContainerProps> = {
	name: "docker-no-plain-secret",
	description:
		"A container gets its secrets as files, and none in its environment, its labels or its commands.",
	isAbout: isContainer,
	faults({ props }) {
		const { envs = [], command = [], entrypoints = [], healthcheck = {}, labels = [] } = props;
		const environment = envs.map((line) => {
			const [name = "", ...value] = line.split("=");
			return { name, value: value.join("=") };
		});
		const commands = {
			"the command": [...entrypoints, ...command],
			"the health check": healthcheck.tests ?? [],
		};
		return [
			...plainSecrets(environment, MEND),
			...Object.entries(commands)
				.filter(([, words]) => commandHoldsPassword(words))
				.map(([part]) => `${part} holds a password in plain text: ${MEND}`),
			...plainSecrets(labels.map(labelOf), MEND).map((fault) => `label ${fault}`),
		];
	},
};

/** One that a preview does not know yet says nothing, since every container with files has such a label. */
function labelOf(declared: ContainerProps["labels"][number]): { name: string; value: string } {
	const value = rawValue(declared, "value");
	return { name: declared.label, value: isKnownText(value) ? value : "" };
}
