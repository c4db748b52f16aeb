#include "templates/policy/links.h"

#include <string.h>
#include <strings.h>

/* Hosts that only pass on. Sorted for the reader; there are few links, so they are looked through.
 */
static const char *const shorteners[] = {
    "adf.ly",      "amzn.to",    "bit.do",  "bit.ly",     "bitly.com",  "buff.ly",  "clck.ru",
    "cutt.ly",     "dub.sh",     "fb.me",   "goo.gl",     "goo.su",     "is.gd",    "j.mp",
    "lnk.to",      "lnkd.in",    "lnnk.in", "llink.ee",   "linktr.ee",  "mcaf.ee",  "ow.ly",
    "rb.gy",       "rebrand.ly", "s.id",    "shorten.is", "shorten.so", "short.io", "shorturl.at",
    "shor.by",     "suo.yt",     "t.co",    "t.ly",       "t2m.io",     "tiny.cc",  "tiny.one",
    "tinyurl.com", "url1.io",    "urlz.fr", "v.gd",       "vu.fr",      "wa.link",  "wa.me",
    "kol.vin",     "pub.vin",    "x.co",    "yt.be",      "zpr.io"};

/* Endings that make a bare host a link. */
static const char *const endings[] = {
    "app", "bid",   "biz",   "bond", "casino", "cc",     "cfd",   "club", "co",   "com",
    "de",  "deals", "ee",    "so",   "yt",     "es",     "eu",    "fr",   "fun",  "gg",
    "gl",  "guru",  "icu",   "in",   "info",   "io",     "life",  "link", "live", "ly",
    "me",  "mobi",  "mx",    "net",  "one",    "online", "org",   "ph",   "pro",  "promo",
    "pw",  "ru",    "sale",  "shop", "site",   "store",  "to",    "top",  "tv",   "tw",
    "uk",  "us",    "vegas", "vin",  "vip",    "win",    "world", "ws",   "xyz"};

static bool
is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static bool
is_end(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"<>(){}[]|\\^`", c) != NULL;
}

static bool
is_in(struct span word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == word.size && strncasecmp(list[i], word.data, word.size) == 0)
            return true;
    return false;
}

static bool
starts_with(struct span text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size > size && strncasecmp(text.data, prefix, size) == 0;
}

static struct span
host_of(struct span text)
{
    size_t size = 0;
    while (size < text.size && is_host_char(text.data[size]))
        size++;
    while (size > 0 && (text.data[size - 1] == '.' || text.data[size - 1] == '-'))
        size--;
    return (struct span){.data = text.data, .size = size};
}

/* "shop.example": at least two labels, the last one well known, and not all digits before. */
static bool
is_bare_host(struct span host)
{
    const char *point = host.size == 0 ? NULL : memrchr(host.data, '.', host.size);
    if (point == NULL || point == host.data)
        return false;
    struct span ending = {.data = point + 1, .size = (size_t)(host.data + host.size - point) - 1};
    char before = point[-1];
    return before != '.' && is_in(ending, endings, sizeof(endings) / sizeof(endings[0]));
}

static bool
read_link(struct span text, uint32_t at, struct link *link)
{
    struct span rest = {.data = text.data + at, .size = text.size - at};
    size_t scheme = starts_with(rest, "https://") ? 8 : starts_with(rest, "http://") ? 7 : 0;
    struct span host =
        host_of((struct span){.data = rest.data + scheme, .size = rest.size - scheme});
    if (host.size == 0 || (scheme == 0 && !starts_with(host, "www.") && !is_bare_host(host)))
        return false;
    size_t end = scheme + host.size;
    while (end < rest.size && !is_end(rest.data[end]))
        end++;
    while (end > scheme + host.size && strchr(".,;:!?'", rest.data[end - 1]) != NULL)
        end--;
    if (starts_with(host, "www."))
        host = (struct span){.data = host.data + 4, .size = host.size - 4};
    *link = (struct link){.start = at,
                          .end = at + (uint32_t)end,
                          .is_short =
                              is_in(host, shorteners, sizeof(shorteners) / sizeof(shorteners[0]))};
    return true;
}

/* Where a host that has its point at `place` begins, not before `from`. */
static uint32_t
host_start(struct span text, uint32_t from, uint32_t place)
{
    while (place > from && is_host_char(text.data[place - 1]))
        place--;
    return place;
}

bool
links_next(struct span text, uint32_t *at, struct link *link)
{
    /* Every link has a point in its host: look for that, then go back. What is behind us is never
     * looked at again, so the time is linear. */
    while (*at < text.size) {
        const char *point = memchr(text.data + *at, '.', text.size - *at);
        if (point == NULL)
            break;
        uint32_t host = host_start(text, *at, (uint32_t)(point - text.data));
        uint32_t start = host;
        if (host >= *at + 3 && memcmp(text.data + host - 3, "://", 3) == 0)
            start = host_start(text, *at, host - 3);
        bool address = host > 0 && text.data[host - 1] == '@';
        if (!address && read_link(text, start, link)) {
            *at = link->end;
            return true;
        }
        struct span rest = {.data = text.data + host, .size = text.size - host};
        *at = host + (uint32_t)host_of(rest).size;
        if (*at <= (uint32_t)(point - text.data))
            *at = (uint32_t)(point - text.data) + 1;
    }
    *at = (uint32_t)text.size;
    return false;
}
