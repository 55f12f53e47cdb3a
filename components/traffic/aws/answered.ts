import { RouterUnreachable } from "../routing";

/** Errors of the AWS SDK that an answer of the service has caused have what it answered with. */
interface ServiceFailure extends Error {
	$metadata?: { httpStatusCode?: number };
}

/**
 * Asks a service of AWS.
 *
 * @param who is asked, in words
 * @throws RouterUnreachable when no answer came, after the SDK's own attempts; else what the service says against it
 */
export async function answered<T>(who: string, ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		const { name, message, $metadata } = error as ServiceFailure;
		if ($metadata?.httpStatusCode === undefined) {
			throw new RouterUnreachable(`${who} does not answer (${name}: ${message}): run the update again`);
		}
		throw new Error(`${who} answered ${$metadata.httpStatusCode} ${name}: ${message}`, { cause: error });
	}
}
