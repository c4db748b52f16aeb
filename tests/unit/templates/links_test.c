#include "templates/policy/links.h"
#include "tests/unit/test.h"

#include <string.h>

static void
finds_links(void)
{
    static const struct {
        const char *text;
        const char *link; /* the first one, or NULL */
        bool is_short;
    } cases[] = {
        {"see https://a.example/x?y=1.", "https://a.example/x?y=1", false},
        {"see (http://bit.ly/3xYz)", "http://bit.ly/3xYz", true},
        {"HTTPS://WWW.BIT.LY/a", "HTTPS://WWW.BIT.LY/a", true},
        {"www.nova.example, now", "www.nova.example", false},
        {"shop at nova.shop/now!", "nova.shop/now", false},
        {"👉t.ly/9Kd2", "t.ly/9Kd2", true},
        {"wa.me/c/33600", "wa.me/c/33600", true},
        {"name@nova.com", NULL, false},
        {"Done.Thanks", NULL, false},
        {"at 10.15 or v2.0", NULL, false},
        {"Dr. Martin, p. 4...", NULL, false},
        {"https://", NULL, false},
        {"...", NULL, false},
        {"", NULL, false},
        {"ends with https://a.b", "https://a.b", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct link link;
        uint32_t at = 0;
        bool found = links_next(span_of(cases[i].text), &at, &link);
        if (found != (cases[i].link != NULL))
            printf("in \"%s\":\n", cases[i].text);
        expect(found == (cases[i].link != NULL));
        if (!found || cases[i].link == NULL)
            continue;
        expect_span(((struct span){cases[i].text + link.start, link.end - link.start}),
                    span_of(cases[i].link));
        expect(link.is_short == cases[i].is_short);
        expect_u64(at, link.end);
    }
}

static void
finds_every_link(void)
{
    static const char text[] = "a@b.com https://x.example and bit.ly/1, then c.fr";
    struct link link;
    uint32_t at = 0;
    uint32_t count = 0;
    while (links_next(span_of(text), &at, &link))
        count++;
    expect_u64(count, 3);
    expect_u64(at, strlen(text));
}

int
main(void)
{
    TEST(finds_links);
    TEST(finds_every_link);
    return test_end();
}
