"""Manual pages and completion: made from the tables of options, for every verb there is."""
import os
import re
import shutil
import subprocess
import sys

BUILD = os.environ.get("FACTEUR_BUILD", "build")
FACTEUR = os.path.join(BUILD, "facteur")


def expect(condition, text):
    if not condition:
        sys.exit("expected: " + text)


def facteur(*words, **options):
    return subprocess.run([FACTEUR, *words], capture_output=True, text=True, timeout=60, **options)


def good(*words):
    result = facteur(*words)
    expect(result.returncode == 0 and result.stderr == "", "%s is good: %r" % (words, result))
    return result.stdout


def all_verbs():
    """From --help: lines of two columns and a summary."""
    lines = [line for line in good("--help").splitlines() if re.match("  [a-z]", line)]
    return [line[2:22].split() for line in lines]


def options_of(verb):
    return re.findall(r"^  (--[a-z-]+)", good(*verb, "--help"), re.M)


def manual_pages(verbs):
    groff = shutil.which("groff")
    for verb in [[]] + verbs:
        page = good("man", *verb)
        expect(page.isascii(), "%s: pure ASCII" % verb)
        for option in options_of(verb) if verb else []:
            expect(option.replace("-", "\\-") in page, "%s: %s is explained" % (verb, option))
        if verb:
            expect(re.search("^  .*facteur " + " ".join(verb), good(*verb, "--help"), re.M),
                   "%s: --help has an example" % verb)
        if groff:
            drawn = subprocess.run([groff, "-ww", "-man", "-Tascii"], input=page, text=True,
                                   capture_output=True)
            expect(drawn.stderr == "" and "facteur" in drawn.stdout,
                   "%s: groff has nothing to say: %s" % (verb, drawn.stderr))
    wrong = facteur("man", "queue", "stast")
    expect(wrong.returncode == 64 and "did you mean queue stats?" in wrong.stderr, wrong.stderr)
    expect(facteur("man", "run", "away").returncode == 64, "one verb at a time")


def completed(script, *words):
    """What bash offers at the end of these words."""
    line = ("source %s\ncompopt() { :; }\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_facteur\n"
            "printf '%%s\\n' \"${COMPREPLY[@]}\"" % script)
    result = subprocess.run(["bash", "-c", line, "bash", "facteur", *words], capture_output=True,
                            text=True)
    expect(result.returncode == 0 and result.stderr == "", "bash is content: " + result.stderr)
    return result.stdout.split()


def bash(verbs, folder):
    script = os.path.join(folder, "facteur.bash")
    with open(script, "w") as file:
        file.write(good("completion", "bash"))
    firsts = sorted({verb[0] for verb in verbs})
    expect(sorted(completed(script, "")) == firsts, "all first words")
    expect(completed(script, "enq") == ["enqueue"], "a word that is begun")
    expect("stats" in completed(script, "queue", ""), "second words")
    for verb in verbs:
        wanted = sorted(set(options_of(verb) + ["--help"]))
        expect(sorted(completed(script, *verb, "--")) == wanted, "options of %s" % verb)
    expect(completed(script, "run", "--token-file", script[:-2]) == [script], "a file")
    expect(completed(script, "run", "--lease", "") == [], "a time is nobody's guess")
    expect(completed(script, "enqueue", script[:-2]) == [script], "a verb that takes files")
    expect(completed(script, "nothing", "") == [], "no verb, no words")


def zsh(folder):
    script = os.path.join(folder, "_facteur")
    with open(script, "w") as file:
        file.write(good("completion", "zsh"))
    text = open(script).read()
    expect(text.startswith("#compdef facteur\n"), "what zsh looks for")
    expect("('queue stats') _arguments" in text, "a branch for a verb of two words")
    if shutil.which("zsh"):
        result = subprocess.run(["zsh", "-n", script], capture_output=True, text=True)
        expect(result.returncode == 0 and result.stderr == "", "zsh reads it: " + result.stderr)


def mistakes():
    for words in (["completion"], ["completion", "fish"], ["completion", "bash", "zsh"]):
        result = facteur(*words)
        expect(result.returncode == 64 and "bash" in result.stderr, "%s: %r" % (words, result))
    result = facteur("queue", "stats", "--help", env=dict(os.environ, FACTEUR_WORKERS="many"))
    expect(result.returncode == 0, "help is there whatever the environment says")
    result = facteur("man", "run", env=dict(os.environ, FACTEUR_CONFIG="/nowhere/facteur.yaml"))
    expect(result.returncode == 0 and "--token" in result.stdout.replace("\\-", "-"),
           "and without a configuration: %r" % result.stderr)


def main():
    import tempfile
    verbs = all_verbs()
    expect(["run"] in verbs and ["queue", "stats"] in verbs, "the verbs: %s" % verbs)
    with tempfile.TemporaryDirectory(prefix="facteur-shell-") as folder:
        manual_pages(verbs)
        bash(verbs, folder)
        zsh(folder)
        mistakes()
    print("%d verbs: a page, words for bash and zsh" % len(verbs))


if __name__ == "__main__":
    main()
