import { isKnownText } from "../known";
import { oneOf, type ResourceRule } from "../rule";
import { isLoopback } from "./loopback";

const ENCRYPTED = ["require", "verify-ca", "verify-full"];

export const providerIsEncrypted: ResourceRule<{ host: string; sslmode: string }> = {
	name: "database-provider-encrypted",
	description: "The deployment declares databases on another machine over TLS only.",
	isAbout: oneOf("pulumi:providers:postgresql"),
	faults({ props }) {
		const { host = "localhost", sslmode = "require" } = props;
		return connectionFaults({ host, mode: sslmode }, "sslmode");
	},
};

export const connectionIsEncrypted: ResourceRule<Record<string, unknown>> = {
	name: "database-connection-encrypted",
	description: "The deployment and its service connect to databases on another machine over TLS only.",
	isAbout: (type) => type.startsWith("pulumi-nodejs:dynamic"),
	faults({ props }) {
		const found = connectionsIn(props).flatMap((connection) => connectionFaults(connection, "sslMode"));
		// A resource may know the same server by many connections.
		return [...new Set(found)];
	},
};

interface Found {
	host: string;
	mode: string;
}

function connectionFaults({ host, mode }: Found, setting: string): string[] {
	return isLoopback(host) || ENCRYPTED.includes(mode)
		? []
		: [`the connection to ${host} is ${setting} ${mode}: set ${setting} to require or verify-full`];
}

/**
 * Every connection within a value. What a preview does not know yet is passed over by reading descriptors, as reading an
 * unknown value itself would end the rule; the update knows it and asks again.
 */
function connectionsIn(value: unknown): Found[] {
	if (typeof value !== "object" || value === null) {
		return [];
	}
	const fields = Object.getOwnPropertyDescriptors(value) as Record<string, PropertyDescriptor>;
	const [host, mode]: unknown[] = [fields.host?.value, fields.sslMode?.value];
	const own = isKnownText(host) && isKnownText(mode) ? [{ host, mode }] : [];
	return [...own, ...Object.values(fields).flatMap((field) => connectionsIn(field.value))];
}
