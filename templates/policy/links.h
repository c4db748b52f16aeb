/*
 * links - where a text has links, and whether a shortener hides where they lead.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_LINKS_H
#define FACTEUR_TEMPLATES_POLICY_LINKS_H

#include "sender/base/bytes.h"

struct link {
    uint32_t start; /* bytes */
    uint32_t end;
    bool is_short; /* of a link shortener, or a chat link */
};

/*
 * The next link at or after `*at`: "https://…", "www.…", or a bare host with a well-known ending
 * ("shop.example/offer"). Moves `*at` behind it. Of an e-mail address the host is no link.
 */
bool links_next(struct span text, uint32_t *at, struct link *link);

#endif
