import { connect } from "node:net";
import { RouterUnreachable } from "../routing";

const ANSWER_TIMEOUT_MS = 5000;

export interface AdminAddress {
	host: string;
	port: number;
}

/**
 * Says one command to HAProxy's runtime API.
 *
 * @returns its answer, without the blank line that ends it
 * @throws RouterUnreachable when nothing answers in time
 */
export function tellHaproxy({ host, port }: AdminAddress, command: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const fail = (reason: string) =>
			reject(
				new RouterUnreachable(
					`the router's runtime API at ${host}:${port} does not answer (${reason}): see that its container runs, then run the update again`,
				),
			);
		let answer = "";
		const socket = connect({ host, port }, () => socket.end(`${command}\n`));
		socket.setEncoding("utf8");
		socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
			fail(`nothing for ${ANSWER_TIMEOUT_MS} ms`);
			socket.destroy();
		});
		socket.on("data", (text: string) => {
			answer += text;
		});
		socket.on("error", (error) => fail(error.message));
		socket.on("end", () => resolve(answer.trim()));
	});
}

/**
 * Says a command that answers nothing when it was done.
 *
 * @throws Error with what HAProxy says against it
 */
export async function changeHaproxy(address: AdminAddress, command: string): Promise<void> {
	const answer = await tellHaproxy(address, command);
	// It tells of a changed address in words.
	if (
		answer !== "" &&
		!/^(IP changed from|port changed from|no need to change|.*changed its (IP|FQDN))/i.test(answer)
	) {
		throw new Error(`the router refuses \`${command}\`: ${answer}`);
	}
}
