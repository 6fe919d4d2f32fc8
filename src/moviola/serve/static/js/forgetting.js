// Takes videos out of the library, asks before many go, and brings them back.

import { send } from "./api.js";
import { count } from "./format.js";
import { toast } from "./toasts.js";

/** Forgets `{ videos }` or what is `{ missing }`; `after()` is called whenever something changed. */
export async function forget(wanted, after) {
  try {
    const { files, present, undo } = await forgetOrAsk(wanted);
    if (!files) {
      toast("Nothing is missing from folders that are there.");
      return;
    }
    const back = present ? " It comes back when its folder is indexed." : "";
    toast(`Forgot ${count(files, "file")}. On disk nothing changed.${back}`, {
      undo: () => bringBack(undo, after),
    });
    await after();
  } catch (error) {
    if (error !== DECLINED) toast(error.message);
  }
}

const DECLINED = Symbol("declined");

async function forgetOrAsk(wanted) {
  try {
    return await send("POST", "/api/forget", wanted);
  } catch (error) {
    if (error.code !== "many") throw error;
    if (!confirm(`${error.message}. Forget them?`)) throw DECLINED;
    return send("POST", "/api/forget", { ...wanted, agreed: true });
  }
}

async function bringBack(undo, after) {
  try {
    const { files } = await send("POST", "/api/forget/undo", { undo });
    toast(files ? `Brought back ${count(files, "file")}.` : "It was deleted already; index its folder again.");
    await after();
  } catch (error) {
    toast(error.message);
  }
}
