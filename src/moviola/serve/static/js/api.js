// The server's JSON API: one place that knows of tokens and of errors.

/** What the server refused, or `gone` when it did not answer. `code` is the API's own word. */
export class ApiError extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

let session = null;

/** Facts about this visit: token, version and limits. Asked once; again after a restart. */
export function getSession({ fresh = false } = {}) {
  if (fresh || !session) {
    session = request("/api/session");
    session.catch(() => {
      session = null;
    });
  }
  return session;
}

/** The answer to a GET. Throws `ApiError`; an abort throws as `fetch` does. */
export function get(path, { signal } = {}) {
  return request(path, { signal });
}

/** Writes; `body` is sent as JSON unless it is a Blob. A token that a restart made stale is renewed. */
export async function send(method, path, body, { type } = {}) {
  const write = async (fresh) => {
    const { token } = await getSession({ fresh });
    const raw = body instanceof Blob;
    return request(path, {
      method,
      body: raw ? body : JSON.stringify(body ?? {}),
      headers: {
        "X-Moviola-Token": token,
        "Content-Type": raw ? type : "application/json",
      },
    });
  };
  try {
    return await write(false);
  } catch (error) {
    if (error.code !== "token") throw error;
    return write(true);
  }
}

async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("gone", "Moviola's server does not answer.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { error } = await answer.json().catch(() => ({}));
  throw new ApiError(
    error?.code ?? "unexpected",
    error?.message ?? `The server answered ${answer.status}.`,
    answer.status,
  );
}
