import { hasDigest } from "../image";
import { commandHoldsPassword, plainSecrets } from "../plain-secret";
import { oneOf, type ResourceRule } from "../rule";

interface TaskProps {
	/** A list of containers in JSON. */
	containerDefinitions: string;
}

/** A container as ECS has it. */
interface Container {
	name?: string;
	image?: string;
	environment?: { name: string; value?: string }[];
	command?: string[];
	entryPoint?: string[];
	healthCheck?: { command?: string[] };
	dockerLabels?: Record<string, string>;
}

const isTask = oneOf("aws:ecs/taskDefinition:TaskDefinition");

export const taskImageHasDigest: ResourceRule<TaskProps> = {
	name: "aws-task-image-digest",
	description: "A task's images are named by digest.",
	isAbout: isTask,
	faults({ props }) {
		return containersOf(props).flatMap(({ name, image = "" }) =>
			hasDigest(image)
				? []
				: [`container ${name} runs ${image || "no image"}: name it by digest, as NAME@sha256:DIGEST`],
		);
	},
};

export const taskHasNoPlainSecret: ResourceRule<TaskProps> = {
	name: "aws-task-no-plain-secret",
	description: "A task gets its secrets from Secrets Manager or the parameter store, and none in plain text.",
	isAbout: isTask,
	faults({ props }) {
		return containersOf(props).flatMap((container) =>
			secretFaults(container).map((fault) => `container ${container.name}: ${fault}`),
		);
	},
};

const MEND = "hand it over by the container's secrets";

function secretFaults(container: Container): string[] {
	const { environment = [], command = [], entryPoint = [], healthCheck, dockerLabels = {} } = container;
	const labels = Object.entries(dockerLabels).map(([name, value]) => ({ name, value }));
	const commands = {
		"its command": [...entryPoint, ...command],
		"its health check": healthCheck?.command ?? [],
	};
	return [
		...plainSecrets(environment, MEND),
		...Object.entries(commands)
			.filter(([, words]) => commandHoldsPassword(words))
			.map(([part]) => `${part} holds a password in plain text: ${MEND}`),
		...plainSecrets(labels, MEND).map((fault) => `label ${fault}`),
	];
}

function containersOf({ containerDefinitions = "[]" }: Partial<TaskProps>): Container[] {
	return JSON.parse(containerDefinitions);
}
