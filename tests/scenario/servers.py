"""HTTP/2 servers that are not ours, for scenarios: nghttpd, nginx, node. Each has `url` and an end."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from house import free_port

START_SECONDS_MAX = 20

GRAPH_BODY = ('{"messaging_product":"whatsapp","contacts":[{"input":"+33612345678","wa_id":"33612345678"}],'
              '"messages":[{"id":"wamid.HBgLMzM2","message_status":"accepted"}]}')


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit("%s is missing: sh tests/run.sh installs it" % name)
    return found


def wait_for_port(port, process):
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit("%s does not listen" % " ".join(process.args[:1]))


def nghttpd(house, certificate):
    """Serves a file under /ok, and has nothing under any other name."""
    folder = house.path("nghttpd/ok/106540352242922")
    os.makedirs(folder)
    with open(os.path.join(folder, "messages"), "w") as file:
        file.write("a file, and no answer of Meta's\n")
    port = free_port()
    process = house.start([program("nghttpd"), "--address",
                           "127.0.0.1", "--htdocs", house.path("nghttpd"), str(port),
                           certificate[1], certificate[0]])
    wait_for_port(port, process)
    return "https://127.0.0.1:%d" % port


NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log;
events { worker_connections 256; }
http {
    log_format short '$request_method $uri $server_protocol $status';
    access_log %(folder)s/access.log short;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    keepalive_requests %(requests)d;
    server {
        listen 127.0.0.1:%(port)d ssl%(http2)s;
        ssl_certificate %(certificate)s;
        ssl_certificate_key %(key)s;
        location /ok/ { return 200 'ok'; }
        location /graph/ { default_type application/json; return 200 '%(graph)s'; }
        location / { return 404; }
    }
}
"""


class Nginx:
    """Says 'ok' under /ok, a good answer of Graph's under /graph, and 404 elsewhere."""

    def __init__(self, house, certificate, keepalive_requests=1000, http2=True):
        self.port = free_port()
        self.url = "https://127.0.0.1:%d" % self.port
        self.folder = house.path("nginx-%d" % self.port)
        os.makedirs(self.folder)
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as file:
            file.write(NGINX % {"folder": self.folder, "port": self.port, "graph": GRAPH_BODY,
                                "requests": keepalive_requests, "http2": " http2" if http2 else "",
                                "certificate": certificate[0], "key": certificate[1]})
        errors = open(os.path.join(self.folder, "start.log"), "w")
        self.process = house.start([program("nginx"), "-p", self.folder, "-c", config],
                                   stderr=errors)
        errors.close()
        wait_for_port(self.port, self.process)

    def requests(self):
        """The requests it has answered, as "POST /ok/… HTTP/2.0 200"."""
        with open(os.path.join(self.folder, "access.log")) as file:
            return [line for line in file.read().splitlines() if line.startswith("POST")]


NODE = """
const fs = require('fs')
const http2 = require('http2')
const https = require('https')
const [certificate, key, graph, kind] = process.argv.slice(2)
const tls = {cert: fs.readFileSync(certificate), key: fs.readFileSync(key)}
const answers = {
  ok: [200, 'text/plain', 'ok'],
  empty: [204, 'text/plain', ''],
  page: [200, 'text/html', '<!doctype html><title>Welcome</title>'],
  other: [200, 'application/json', '{"messages":[{"name":"no id"}]}'],
  graph: [200, 'application/json', graph],
  failed: [500, 'application/json', graph],
  refused: [400, 'application/json', '{"error":{"message":"(#131026) Message undeliverable","code":131026}}'],
}
function answer(request, response) {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString())
    const [status, type, body] = answers[request.url.split('/')[1]] || [404, 'text/plain', 'no']
    response.writeHead(status, {'content-type': type})
    response.end(body)
  })
}
const server = kind === 'http1' ? https.createServer(tls, answer)
  : http2.createSecureServer({...tls, allowHTTP1: false}, answer)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
"""


def node(house, certificate, kind="http2"):
    """Answers by the first word of the path; kind "http1" is a server of before HTTP/2."""
    script = house.file("server.js", NODE)
    process = house.start([program("node"), script, certificate[0], certificate[1], GRAPH_BODY,
                           kind], stdout=-1, text=True)
    port = process.stdout.readline().strip()
    if not port.isdigit():
        sys.exit("node does not listen")
    return "https://127.0.0.1:%s" % port


SCRIPTED = """
const fs = require('fs')
const http2 = require('http2')
const [certificate, key] = process.argv.slice(2)
const tls = {cert: fs.readFileSync(certificate), key: fs.readFileSync(key), allowHTTP1: false}
let rules = []
let requests = []
function find(request) {
  const rule = rules.find(rule => rule.times !== 0 && (!rule.to || rule.to === request.to) &&
    (!rule.phone || rule.phone === request.phone) && (!rule.token || rule.token === request.token))
  if (rule && rule.times) rule.times--
  return rule || {}
}
function answer(stream, headers, body) {
  const path = headers[':path']
  if (path === '/requests') {
    stream.respond({':status': 200})
    return stream.end(JSON.stringify(requests))
  }
  if (path === '/rules') {
    rules = JSON.parse(body)
    stream.respond({':status': 200})
    return stream.end('[]')
  }
  const message = JSON.parse(body)
  const request = {at: Date.now(), phone: path.split('/')[2], to: message.to,
    token: (headers['authorization'] || '').replace('Bearer ', ''),
    callback: message.biz_opaque_callback_data}
  const rule = find(request)
  request.status = rule.status || 200
  requests.push(request)
  if (rule.silent) return
  const error = {error: {message: rule.message || '(#' + rule.code + ') no', code: rule.code}}
  const good = {messaging_product: 'whatsapp', contacts: [{input: message.to, wa_id: '1'}],
    messages: [{id: 'wamid.' + requests.length}]}
  setTimeout(() => {
    if (stream.destroyed) return
    stream.respond({':status': request.status, 'content-type': 'application/json', ...rule.headers})
    stream.end(JSON.stringify(rule.code === undefined ? good : error))
  }, 20)
}
const server = http2.createSecureServer(tls)
server.on('stream', (stream, headers) => {
  const chunks = []
  stream.on('data', chunk => chunks.push(chunk))
  stream.on('error', () => {})
  stream.on('end', () => answer(stream, headers, Buffer.concat(chunks).toString()))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
"""


class Scripted:
    """A Graph API that answers by rules, the first that fits: {"to", "phone", "token"} say whom it
    is for, {"code", "status", "message", "headers"} what is answered, "silent" that nothing is,
    "times" how often. Without a rule a message is accepted. It remembers every request."""

    def __init__(self, house, certificate):
        self.house = house
        script = house.file("scripted.js", SCRIPTED)
        process = house.start([program("node"), script, certificate[0], certificate[1]], stdout=-1,
                              text=True)
        port = process.stdout.readline().strip()
        if not port.isdigit():
            sys.exit("node does not listen")
        self.url = "https://127.0.0.1:%s" % port

    def ask(self, path, *options):
        answer = subprocess.run(["curl", "-sSk", "--http2", self.url + path] + list(options),
                                capture_output=True, text=True, timeout=30)
        if answer.returncode != 0:
            sys.exit("the scripted server does not answer: " + answer.stderr)
        return json.loads(answer.stdout)

    def set_rules(self, *rules):
        self.ask("/rules", "--data", json.dumps(rules))

    def requests(self, **wanted):
        """Those to this recipient, phone, token, in order; times are milliseconds."""
        return [one for one in self.ask("/requests")
                if all(one[name] == value for name, value in wanted.items())]
