/** Whether an address is reached from its own machine only; a path is that of a socket. */
export function isLoopback(host: string): boolean {
	return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|\/.*)$/.test(host);
}
