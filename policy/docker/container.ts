import { oneOf } from "../rule";

/** A container's inputs, as far as rules are about them. */
export interface ContainerProps {
	image: string;
	/** Each `NAME=value`. */
	envs: string[];
	command: string[];
	entrypoints: string[];
	labels: { label: string; value: string }[];
	healthcheck: { tests?: string[] };
	privileged: boolean;
	capabilities: { adds?: string[] };
	pidMode: string;
	networkMode: string;
	publishAllPorts: boolean;
	ports: { internal: number; external?: number; ip?: string }[];
	/** One of the engine's by name, or a path of the host. */
	volumes: { volumeName?: string; hostPath?: string }[];
	mounts: { type: string; source?: string }[];
}

export const CONTAINER = "docker:index/container:Container";
export const isContainer = oneOf(CONTAINER);
