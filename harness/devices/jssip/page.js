// A phone on JsSIP: phone.py calls `start`, then `call`, `hangup`; what is printed begins with "phone ".

const calls = {}; // by the URI that was dialled
const say = (...words) => console.log("phone", ...words);

// `settings`: url, uri, password, answers.
window.start = (settings) => {
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(settings.url)],
    uri: settings.uri,
    password: settings.password,
    user_agent: `JsSIP ${JsSIP.version}`,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
  });
  ua.on("registered", () => say("registered", JsSIP.version));
  ua.on("registrationFailed", (event) => say("not registered:", event.cause));
  ua.on("disconnected", (event) => say("disconnected", event.code ?? "", event.reason ?? ""));
  ua.on("newRTCSession", ({ session, originator, request }) => {
    if (originator === "remote") answer(session, request, settings.answers);
  });
  ua.start();
  window.ua = ua;
};

window.call = (uri) => {
  const heard = (what) => (event) => say(what, uri, event?.cause ?? "");
  calls[uri] = ua.call(uri, {
    mediaConstraints: { audio: true, video: false },
    pcConfig: { iceServers: [] },
    eventHandlers: { progress: heard("progress"), confirmed: heard("confirmed"), ended: heard("ended"), failed: heard("failed") },
  });
};

window.hangup = (uri) => {
  const session = calls[uri];
  if (session && !session.isEnded()) session.terminate();
};

// What the number says, in the parameter `n` of the Request-URI: JsSIP takes calls for its own user alone.
function answer(session, request, answers) {
  const found = /^(18)?(302|603)|^180/.exec(request.ruri.getParam("n") ?? "");
  if (!answers || !found) return session.terminate({ status_code: answers ? 404 : 486 });
  const status = found[2] && Number(found[2]);
  const extraHeaders = status === 302 ? ["Contact: <sip:moved@192.0.2.60:5060;transport=ws>"] : [];
  const refuse = () => session.isEnded() || session.terminate({ status_code: status, extraHeaders });
  // JsSIP says 180 by itself, unless the call is refused within this event.
  if (found[1]) setTimeout(refuse, 300);
  else if (status) refuse();
}
