import { PORTS } from "../../platform/aws/firewall";

export interface ContainerOptions {
	/** By digest. */
	image: string;
	/** Environment variables, none of them secret. */
	environment: Record<string, string>;
	/** Environment variables that the task's start fills from Secrets Manager: name → reference. */
	secrets: Record<string, string>;
	/** Where its output goes. */
	logGroup: string;
	region: string;
	/** Seconds that it has to finish its requests. */
	drainTimeoutSeconds: number;
}

export const CONTAINER = "counting-api";

/** Fargate kills a container after at most this many seconds. */
const LONGEST_STOP = 120;
/** What the service has beyond its own deadline before it is killed, in seconds. */
const OWN_DEADLINE_SECONDS = 2;
const IS_READY = `fetch('http://127.0.0.1:${PORTS.service}/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;

/**
 * The container of a task: no root, nothing writable, no capability, passwords by reference.
 *
 * @throws Error when the image is named by a tag, which may mean another image tomorrow
 */
export function containerDefinition(options: ContainerOptions) {
	const { image, environment, secrets, logGroup, region, drainTimeoutSeconds } = options;
	if (!isByDigest(image)) {
		throw new Error(
			`the image ${image} is named by a tag, which can be moved: name it by its digest, as in ` +
				"123456789012.dkr.ecr.eu-central-1.amazonaws.com/counting-api@sha256:…",
		);
	}
	return {
		name: CONTAINER,
		image,
		essential: true,
		user: "65532:65532",
		readonlyRootFilesystem: true,
		linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
		portMappings: [{ containerPort: PORTS.service, protocol: "tcp" }],
		environment: sorted(environment).map(([name, value]) => ({ name, value })),
		secrets: sorted(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
		healthCheck: {
			command: ["CMD", "node", "-e", IS_READY],
			interval: 10,
			timeout: 5,
			retries: 3,
			startPeriod: 60,
		},
		stopTimeout: Math.min(LONGEST_STOP, drainTimeoutSeconds + OWN_DEADLINE_SECONDS),
		logConfiguration: {
			logDriver: "awslogs",
			options: { "awslogs-group": logGroup, "awslogs-region": region, "awslogs-stream-prefix": CONTAINER },
		},
	};
}

/** Whether an image is named by the digest of its content. */
export function isByDigest(image: string): boolean {
	return /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/.test(image);
}

function sorted(values: Record<string, string>): [string, string][] {
	return Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1));
}
