import { isLoopback } from "../database/loopback";
import { imageName, isImageId } from "../image";
import { knownTexts } from "../known";
import type { ResourceRule } from "../rule";
import { type ContainerProps, isContainer } from "./container";

const POSTGRES_PORT = 5432;

export const databaseIsOnLoopback: ResourceRule<ContainerProps> = {
	name: "docker-database-on-loopback",
	description: "A database's ports are published on the host's loopback only.",
	isAbout: isContainer,
	faults({ props }) {
		const { image = "", networkMode, publishAllPorts, ports = [] } = props;
		const isServer = isDatabase(image, props);
		return [
			...ports
				.filter(({ internal, ip = "0.0.0.0" }) => (isServer || internal === POSTGRES_PORT) && !isLoopback(ip))
				.map(
					({ internal, ip = "0.0.0.0" }) =>
						`port ${internal} is published on ${ip}: set its ip to 127.0.0.1, or do not publish it`,
				),
			// Which ports those are only the image knows.
			...(publishAllPorts === true
				? ["all ports are published on every address: name the port, with ip 127.0.0.1"]
				: []),
			...(networkMode === "host" && (isServer || isImageId(image))
				? ["the server is in the host's own network: give it one of Docker's"]
				: []),
		];
	},
};

const SERVER = /^(postgres(ql)?|postgis|pgvector|timescale(db)?|citus)\d*$/;
/** What else images have in their names that are made for a server. */
const FOR_SERVERS = /^(exporter|backups?|client|operator|admin|ui|migrations?|migrate)$/;
/** What a server only is told. */
const SERVER_VARIABLE = /^(PGDATA|POSTGRES_INITDB_(ARGS|WALDIR)|POSTGRES_HOST_AUTH_METHOD)=/;

function isDatabase(image: string, props: Partial<ContainerProps>): boolean {
	const words = imageName(image).split(/[._-]/);
	const [program = ""] = [...knownTexts(props, "entrypoints"), ...knownTexts(props, "command")];
	const checks = knownTexts(props.healthcheck ?? {}, "tests");
	return (
		(words.some((word) => SERVER.test(word)) && !words.some((word) => FOR_SERVERS.test(word))) ||
		/(^|\/)postgres$/.test(program) ||
		knownTexts(props, "envs").some((line) => SERVER_VARIABLE.test(line)) ||
		checks.some((word) => /\bpg_isready\b/.test(word))
	);
}
