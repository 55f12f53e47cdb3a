import { posix } from "node:path";
import type { ResourceRule } from "../rule";
import { type ContainerProps, isContainer } from "./container";

/** Capabilities with which a container can become the host's root. */
const AS_GOOD_AS_ROOT = ["ALL", "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"];

/** Sockets of engines, which start any container for whoever asks. */
const ENGINE_SOCKET = /\/(docker|containerd|podman|crio)\.sock$/;

/** Folders with which a container has such a socket, the host's passwords, its devices or other containers' files. */
const SYSTEM_FOLDERS = [
	...["/", "/boot", "/dev", "/etc", "/proc", "/root", "/run", "/sys"],
	...["/var", "/var/lib", "/var/lib/docker", "/var/run"],
];

export const containerIsNotPrivileged: ResourceRule<ContainerProps> = {
	name: "docker-not-privileged",
	description: "A container has no rights over its host.",
	isAbout: isContainer,
	faults({ props }) {
		const adds = (props.capabilities?.adds ?? []).map((name) => name.toUpperCase().replace(/^CAP_/, ""));
		return [
			...(props.privileged === true
				? ["the container is privileged: set privileged to false, and add what it needs of capabilities"]
				: []),
			...adds
				.filter((name) => AS_GOOD_AS_ROOT.includes(name))
				.map((name) => `capability ${name} is as good as root on the host: do without it`),
			...(props.pidMode === "host"
				? ["the host's processes are the container's too: do without pidMode host"]
				: []),
			...hostPaths(props)
				.filter((path) => ENGINE_SOCKET.test(path) || SYSTEM_FOLDERS.includes(path))
				.map((path) => `${path} of the host is as good as root on it: do not put it into the container`),
		];
	},
};

function hostPaths({ volumes = [], mounts = [] }: Partial<ContainerProps>): string[] {
	const given = [
		...volumes.map(({ hostPath }) => hostPath),
		...mounts.filter(({ type }) => type === "bind").map(({ source }) => source),
	];
	return given.flatMap((path = "") => (path === "" ? [] : [posix.resolve("/", path)]));
}
