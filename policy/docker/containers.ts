import { isLoopback } from "../database/loopback";
import { hasDigest, hasPinnedTag } from "../image";
import { holdsPassword, plainSecrets } from "../plain-secret";
import { oneOf, type ResourceRule } from "../rule";

interface ContainerProps {
	image: string;
	/** Each `NAME=value`. */
	envs: string[];
	command: string[];
	entrypoints: string[];
	privileged: boolean;
	capabilities: { adds?: string[] };
	networkMode: string;
	publishAllPorts: boolean;
	ports: { internal: number; external?: number; ip?: string }[];
}

const CONTAINER = "docker:index/container:Container";
const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";
const isContainer = oneOf(CONTAINER);

export const containerImageIsPinned: ResourceRule<ContainerProps & { name: string }> = {
	name: "docker-image-pinned",
	description: "Images are named by digest in production, and elsewhere by digest or by a tag that stays.",
	isAbout: oneOf(CONTAINER, REMOTE_IMAGE),
	faults({ type, props }, { environment }) {
		const image = (type === CONTAINER ? props.image : props.name) ?? "";
		if (hasDigest(image)) {
			return [];
		}
		if (environment === "production") {
			return [`image ${image} may become another one: name it by digest, as NAME@sha256:DIGEST`];
		}
		return hasPinnedTag(image)
			? []
			: [`image ${image} becomes another one with time: name its version, or its digest`];
	},
};

export const containerHasNoPlainSecret: ResourceRule<ContainerProps> = {
	name: "docker-no-plain-secret",
	description: "A container gets its secrets as files, and none in its environment or its command.",
	isAbout: isContainer,
	faults({ props }) {
		const { envs = [], command = [], entrypoints = [] } = props;
		const environment = envs.map((line) => {
			const [name = "", ...value] = line.split("=");
			return { name, value: value.join("=") };
		});
		return [
			...plainSecrets(environment, "hand it over as a file"),
			...([...entrypoints, ...command].some(holdsPassword)
				? ["the command holds a password in plain text: hand it over as a file"]
				: []),
		];
	},
};

/** Capabilities with which a container can become the host's root. */
const AS_GOOD_AS_ROOT = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE"];

export const containerIsNotPrivileged: ResourceRule<ContainerProps> = {
	name: "docker-not-privileged",
	description: "A container has no rights over its host.",
	isAbout: isContainer,
	faults({ props }) {
		const adds = (props.capabilities?.adds ?? []).map((name) => name.replace(/^CAP_/, ""));
		return [
			...(props.privileged === true
				? ["the container is privileged: set privileged to false, and add what it needs of capabilities"]
				: []),
			...adds
				.filter((name) => AS_GOOD_AS_ROOT.includes(name))
				.map((name) => `capability ${name} is as good as root on the host: do without it`),
		];
	},
};

const POSTGRES_PORT = 5432;

export const databaseIsOnLoopback: ResourceRule<ContainerProps> = {
	name: "docker-database-on-loopback",
	description: "A database's ports are published on the host's loopback only.",
	isAbout: isContainer,
	faults({ props }) {
		const { image = "", networkMode, publishAllPorts, ports = [] } = props;
		const isDatabase = /(^|\/)[\w.-]*(postgres|postgis|pgvector)/.test(image);
		return [
			...ports
				.filter(
					({ internal, ip = "0.0.0.0" }) => (isDatabase || internal === POSTGRES_PORT) && !isLoopback(ip),
				)
				.map(
					({ internal, ip = "0.0.0.0" }) =>
						`port ${internal} is published on ${ip}: set its ip to 127.0.0.1, or do not publish it`,
				),
			...(isDatabase && publishAllPorts === true
				? ["all ports are published on every address: name the port, with ip 127.0.0.1"]
				: []),
			...(isDatabase && networkMode === "host"
				? ["the server is in the host's own network: give it one of Docker's"]
				: []),
		];
	},
};
