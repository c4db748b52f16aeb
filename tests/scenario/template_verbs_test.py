"""facteur template …: what an admin does with files and with Redis, and what is refused."""
import glob
import json
import os
import subprocess

import schemas
from house import BUILD, BUSINESS, ROOT, House, expect

CATALOGUE = ROOT + "/templates/catalogue"
LANGUAGES = ["en", "fr", "es", "pt_BR", "de", "it", "nl", "ar", "hi", "id", "tr", "ru"]
TEMPLATE = {
    "name": "parcel_waits", "language": "fr", "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Bonjour {{1}}, votre colis {{2}} vous attend.",
                    "example": {"body_text": [["Claire", "CMD-1042"]]}}]}


def alone(*words, stdin=None):
    """A verb without a Redis: of files only."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("FACTEUR_")}
    return subprocess.run([BUILD + "/facteur", "template"] + list(words), capture_output=True,
                          text=True, input=stdin, env=environment, timeout=60)


def template(house, *words, code=0, shape=None):
    """A verb with the house's Redis; with a shape its --json, checked and read."""
    words = ["template"] + list(words) + (["--json"] if shape else [])
    result = house.verb(*words, check=False)
    expect(result.returncode == code, "exit %d of facteur %s, not %d: %s%s"
           % (code, " ".join(words), result.returncode, result.stdout, result.stderr))
    return schemas.fits(json.loads(result.stdout), shape, words[1]) if shape else result


def write(house, text, **changes):
    """A file of the house with TEMPLATE's body changed; returns its path."""
    whole = dict(TEMPLATE, **changes)
    if text:
        whole["components"] = [dict(TEMPLATE["components"][0], text=text)]
    return house.file("%s.%s.json" % (whole["name"], whole["language"]),
                      json.dumps(whole, ensure_ascii=False, indent=1))


# ---- files alone -------------------------------------------------------------------------------

def lint_names_rule_and_line(house):
    result = alone("lint", CATALOGUE)
    expect(result.returncode == 0 and result.stdout == "120 files: 0 errors, 0 warnings\n",
           "nothing against what we ship: " + result.stdout)
    path = house.file("bad.json", '{"name": "a",\n "language": "fr",\n "category": "UTILITY",\n'
                      ' "componets": []}\n')
    result = alone("lint", path)
    expect(result.returncode == 1, "an error is a no")
    expect(result.stdout.startswith(
        '%s:4:2: error: "componets" is not a key of Meta\'s format: did you mean "components"? '
        '[unknown_key]\n' % path), "file, line, column, words, rule: " + result.stdout)
    found = schemas.fits(json.loads(alone("lint", path, "--json").stdout), schemas.TEMPLATE_LINT)
    expect(not found["files"][0]["good"] and found["errors"] == 2, "both errors are counted")
    result = alone("lint", "-", stdin=json.dumps(TEMPLATE))
    expect(result.returncode == 0, "standard input can be looked at: " + result.stdout)
    warned = write(house, "{{1}}, votre colis {{2}} vous attend.")
    expect(alone("lint", warned).returncode == 0, "a warning is no error")
    expect(alone("lint", warned, "--strict").returncode == 1, "unless it is asked for")
    twice = schemas.fits(json.loads(alone("lint", warned, warned, "--json").stdout),
                         schemas.TEMPLATE_LINT)
    expect(twice["files"][1]["findings"][0]["rule"] == "twice", "one file a name and language")
    expect(alone("lint").returncode == 64, "which file?")
    expect(alone("lint", "/no/such").returncode == 65, "a file that is not there")


def lint_of_a_file_cut_anywhere(house):
    """Every cut of a file is told with its line; the library's test cuts more files."""
    with open(CATALOGUE + "/one_time_code.fr.json", "rb") as file:
        whole = file.read()
    paths = []
    for size in range(0, len(whole) - 1, 7):
        paths.append(house.path("cut-%d.json" % size))
        with open(paths[-1], "wb") as file:
            file.write(whole[:size])
    result = alone("lint", "--json", *paths)
    found = schemas.fits(json.loads(result.stdout), schemas.TEMPLATE_LINT)
    expect(result.returncode == 1, "no cut file is good")
    for size, one in zip(range(0, len(whole) - 1, 7), found["files"]):
        expect([finding["rule"] for finding in one["findings"]] == ["not_json"],
               "cut at %d: not JSON: %s" % (size, one))
        expect(1 <= one["findings"][0]["line"] <= whole[:size].count(b"\n") + 1, "a line it has")


def preview_draws_what_is_read(house):
    result = alone("preview", "order_shipped", "--lang", "fr", "--set", "1=Claire", "--set",
                   "2=CMD-1042")
    expect(result.returncode == 0 and "│ Bonjour Claire, votre commande CMD-1042 a" in result.stdout
           and "↗ Mes commandes" in result.stdout and "policy: fine" in result.stdout,
           "a bubble with its values and buttons: " + result.stdout)
    result = alone("preview", "one_time_code", "--lang", "fr", "--set", "1=123456", "--color",
                   "always")
    expect("\x1b[0;1m123456\x1b[0m" in result.stdout, "bold as WhatsApp has it")
    shown = schemas.fits(json.loads(alone("preview", "event_ticket_pdf", "--lang", "fr", "--set",
                                          "first_name=Zoé", "--json").stdout),
                         schemas.TEMPLATE_PREVIEW)
    expect(shown["body"].startswith("Bonjour Zoé, le document"), "the value given")
    expect(shown["not_given"] == ["event", "date", "venue", "count"], "what was not given is told")
    result = alone("preview", "order_shipped", "--lang", "fr", "--set", "1=Claire", "--set",
                   "2=CMD-1. VENTE FLASH -50 % sur tout")
    expect(result.returncode == 1 and "promotional" in result.stdout, "the policy's no is exit 1")
    result = alone("preview", "order_shipped", "--lang", "fr", "--set", "3=x")
    expect(result.returncode == 65 and "parameter 3: is not in the template" in result.stderr,
           "a parameter too many: " + result.stderr)
    result = alone("preview", "order_shiped", "--lang", "fr")
    expect(result.returncode == 1 and "did you mean order_shipped" in result.stderr,
           "the nearest name: " + result.stderr)
    result = alone("preview", "order_shipped", "--lang", "eo")
    expect(result.returncode == 1 and "is not in eo; it is in ar, de, en" in result.stderr,
           "the languages it has: " + result.stderr)
    expect(alone("preview", "order_shipped").returncode == 64, "which language?")
    path = write(house, "Bonjour {{1}}, votre colis {{2}} attend.")
    expect(alone("preview", path).returncode == 0, "a file that is still being written")


def every_example_renders_and_is_innocent():
    for path in sorted(glob.glob(CATALOGUE + "/*.json")):
        with open(path) as file:
            whole = json.load(file)
        words = ["preview", path, "--json"]
        for component in whole["components"]:
            example = component.get("example", {})
            for number, value in enumerate(example.get("body_text", [[]])[0], 1):
                words += ["--set", "%d=%s" % (number, value)]
            for key in ("body_text_named_params", "header_text_named_params"):
                for one in example.get(key, []):
                    words += ["--set", "%s=%s" % (one["param_name"], one["example"])]
        if whole["name"] == "one_time_code":
            words += ["--set", "1=123456"]
        result = alone(*words)
        expect(result.returncode == 0, "%s with its examples: %s%s"
               % (path, result.stdout, result.stderr))
        shown = schemas.fits(json.loads(result.stdout), schemas.TEMPLATE_PREVIEW)
        expect(shown["not_given"] == [] and "{{" not in shown["body"], path + ": every example")


# ---- in Redis ----------------------------------------------------------------------------------

def listing(house, *words):
    return {(one["name"], one["lang"]): one for one in
            template(house, "list", *words, shape=schemas.TEMPLATE_LIST)["templates"]}


def a_life_in_redis(house):
    expect(set(one["from"] for one in listing(house).values()) == {"file"}, "files at first")
    path = write(house, None)
    first = template(house, "add", path, "--reason", "first \"one\"\né", "--by", "marie",
                     shape=schemas.TEMPLATE_CHANGE)
    expect(first["number"] == 1 and first["changes"][0]["action"] == "added", "added as change 1")
    again = template(house, "add", path, "--reason", "again", shape=schemas.TEMPLATE_CHANGE)
    expect(again["number"] == 1 and again["changes"][0]["action"] == "unchanged",
           "the same words change nothing")
    write(house, "Bonjour {{1}}, le colis {{2}} vous attend.")
    tried = template(house, "add", path, "--reason", "x", "--dry-run",
                     shape=schemas.TEMPLATE_CHANGE)
    expect(tried["dry_run"] and tried["number"] == 1, "--dry-run writes nothing")
    second = template(house, "add", path, "--reason", "shorter", "--by", "zoé",
                      shape=schemas.TEMPLATE_CHANGE)
    expect(second["changes"][0]["before"] == first["changes"][0]["after"], "from one to the next")
    one = listing(house, "parcel_waits")[("parcel_waits", "fr")]
    expect(one["from"] == "redis" and one["who"] == "zoé" and one["why"] == "shorter" and
           one["version"] == second["changes"][0]["after"], "the list says who and why: %s" % one)
    shown = template(house, "show", "parcel_waits", shape=schemas.TEMPLATE_SHOW)["templates"][0]
    expect(shown["template"]["components"][0]["text"] == "Bonjour {{1}}, le colis {{2}} vous "
           "attend.", "the text as it was added")
    removed = template(house, "remove", "parcel_waits", "--reason", "gone",
                       shape=schemas.TEMPLATE_CHANGE)
    expect(removed["number"] == 3 and removed["changes"][0]["after"] == "", "removed")
    expect(("parcel_waits", "fr") not in listing(house), "it is in force no more")
    expect(template(house, "remove", "parcel_waits", "--reason", "gone", code=1).stdout == "",
           "and cannot be removed twice")
    log = template(house, "log", shape=schemas.TEMPLATE_LOG)["changes"]
    expect([(one["number"], one["action"], one["who"]) for one in log][1:] ==
           [(2, "change", "zoé"), (1, "add", "marie")], "the newest first: %s" % log)
    expect(log[2]["why"] == "first \"one\"\né" and log[0]["before"] == log[1]["after"], "and why")
    template(house, "log")  # for eyes
    template(house, "list")


def a_file_that_is_hidden(house):
    before = listing(house)
    template(house, "remove", "event_ticket", "--lang", "nl", "--reason", "wrong words")
    after = listing(house)
    expect(set(before) - set(after) == {("event_ticket", "nl")}, "hidden, only in nl")
    template(house, "add", CATALOGUE + "/event_ticket.nl.json", "--reason", "back")
    expect(listing(house)[("event_ticket", "nl")]["from"] == "redis", "and back again")


def together_or_not_at_all(house):
    good = write(house, None)
    bad = write(house, "Promo ! -50 % sur tout, vente flash", name="offer")
    found = template(house, "add", good, bad, "--reason", "x", code=1,
                     shape=schemas.TEMPLATE_LINT)
    expect({finding["rule"] for finding in found["files"][1]["findings"]} >= {"promotional"},
           "promotional words are refused, with the words")
    marketing = write(house, None, category="MARKETING", name="news")
    expect("facteur sends notifications" in
           template(house, "add", marketing, "--reason", "x", code=1).stdout, "so is marketing")
    expect(("parcel_waits", "fr") not in listing(house), "nothing of that call was written")


def what_must_be_said(house):
    path = write(house, None)
    expect("Give --reason" in template(house, "add", path, code=64).stderr, "why?")
    expect("Give --reason" in template(house, "remove", "event_ticket", code=64).stderr, "why?")
    expect("which files?" in template(house, "add", "--reason", "x", code=64).stderr, "what?")
    expect(template(house, "add", path, "--reason", "x" * 513, code=64), "a reason, no story")
    expect("did you mean event_ticket" in
           template(house, "remove", "event_tiket", "--reason", "x", code=1).stderr, "the nearest")
    expect("a business is named with" in
           template(house, "list", "--business", "A b", code=64).stderr, "a business's name")
    expect(listing(house, "--business", "other")[("event_ticket", "fr")]["from"] == "file",
           "each business has its own")
    expect(alone("add", path, "--reason", "x", "--account", "acme/fr").returncode == 69
           or "which Redis?" in alone("add", path, "--reason", "x", "--account", "acme/fr").stderr,
           "which Redis?")


def many_admins_at_once(house):
    before = template(house, "list", shape=schemas.TEMPLATE_LIST)["number"]
    paths = [write(house, None, name="many_%d" % number) for number in range(8)]
    environment = dict(os.environ, FACTEUR_REDIS="unix:" + house.redis.socket,
                       FACTEUR_ACCOUNT="acme/fr")
    running = [subprocess.Popen([BUILD + "/facteur", "template", "add", path, "--reason", "race"],
                                env=environment, stdout=subprocess.DEVNULL) for path in paths]
    expect([process.wait(60) for process in running] == [0] * 8, "all of them are good")
    after = template(house, "list", shape=schemas.TEMPLATE_LIST)
    expect(after["number"] == before + 8, "each is a change of its own: %d" % after["number"])
    log = template(house, "log", "--limit", "8", shape=schemas.TEMPLATE_LOG)["changes"]
    expect([one["number"] for one in log] == list(range(before + 8, before, -1)), "and in order")


def as_the_admin(house):
    """The admin's user as queue/acl.txt gives it is enough for every verb."""
    with open(ROOT + "/queue/acl.txt") as file:
        line = [line for line in file if line.startswith("admin ")][0]
    client = house.redis.client()
    client.execute_command("ACL", "SETUSER", *line.split(), ">secret-of-the-admin")
    words = ["--redis-user", "admin", "--redis-password-file",
             house.file("admin", "secret-of-the-admin\n")]
    path = write(house, None, name="by_admin")
    template(house, "add", path, "--reason", "allowed", *words)
    template(house, "list", *words)
    template(house, "show", "by_admin", *words)
    template(house, "preview", "by_admin", *words)
    template(house, "log", *words)
    template(house, "remove", "by_admin", "--reason", "allowed", *words)
    expect("NOPERM" in template(house, "list", "--business", "other", *words, code=69).stderr,
           "another business is not this admin's")
    client.execute_command("ACL", "DELUSER", "admin")


def garbage_in_redis(house):
    """What somebody wrote there by hand is told and left out; the rest can be seen and mended."""
    key = BUSINESS + ":templates"
    client = house.redis.client()
    count = len(listing(house))
    client.hset(key, "order_shipped/fr", "\xff{not json")
    client.hset(key, "order_shipped/en", '{"template":{"name":"order_shipped","language":"de"}}')
    client.hset(key, "nonsense", "x")
    result = template(house, "list", "order_shipped")
    for words in ("template order_shipped/fr: its record is not", '"nonsense" is not NAME/LANGUAGE',
                  "template order_shipped/en: category: is missing"):
        expect(words in result.stderr, "it is told: %s in %s" % (words, result.stderr))
    expect(len(listing(house)) == count - 2, "their files do not come back; the others are there")
    template(house, "add", CATALOGUE + "/order_shipped.fr.json",
             CATALOGUE + "/order_shipped.en.json", "--reason", "mended")
    expect("order_shipped" not in template(house, "list").stderr, "mended by adding them again")
    client.delete(key)
    client.set(key, "no hash")
    expect("WRONGTYPE" in template(house, "list", code=69).stderr, "another type is told")
    client.delete(key)


def main():
    with House(emulator=None) as house:
        lint_names_rule_and_line(house)
        lint_of_a_file_cut_anywhere(house)
        preview_draws_what_is_read(house)
        every_example_renders_and_is_innocent()
        a_life_in_redis(house)
        a_file_that_is_hidden(house)
        together_or_not_at_all(house)
        what_must_be_said(house)
        many_admins_at_once(house)
        as_the_admin(house)
        garbage_in_redis(house)
    print("templates: files, Redis, and what is refused")


if __name__ == "__main__":
    main()
