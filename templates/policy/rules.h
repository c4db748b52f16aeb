/*
 * rules - what the content policy looks for. One line a rule: the names are part of the output of
 * `facteur policy check`.
 *
 * Kinds: an OFFER is worth something to the customer and may be *applied* already ("your discount
 * was applied to order 12"); a PUSH urges or invites; a SIGN is weak and only adds to others; what
 * is APPLIED speaks for the text, within its sentence; NOTHING is a phrase that looks like an
 * offer and is none ("free cancellation").
 */
#ifndef FACTEUR_TEMPLATES_POLICY_RULES_H
#define FACTEUR_TEMPLATES_POLICY_RULES_H

enum rule_kind { RULE_IS_OFFER, RULE_IS_PUSH, RULE_IS_SIGN, RULE_IS_APPLIED, RULE_IS_NOTHING };

#define RULES(X)                                                                                   \
    X(PERCENT_OFF, "percent_off", OFFER, "a part of the price taken off")                          \
    X(PRICE_OFF, "price_off", OFFER, "an amount saved or taken off")                               \
    X(DISCOUNT, "discount", OFFER, "discounts, reductions, lower prices")                          \
    X(COUPON, "coupon", OFFER, "coupons, voucher and promotion codes")                             \
    X(FREE, "free", OFFER, "something free, given, or added on top")                               \
    X(OFFER, "offer", OFFER, "special offers, sales, deals")                                       \
    X(PRIZE, "prize", OFFER, "prizes, draws, contests, bets")                                      \
    X(CREDIT, "credit", OFFER, "loans, instalments and cards on offer")                            \
    X(REFERRAL, "referral", PUSH, "invite a friend, earn points")                                  \
    X(URGENCY, "urgency", PUSH, "hurry, last chance, limited time or stock")                       \
    X(CALL, "call_to_action", PUSH, "shop now, discover, visit us, subscribe")                     \
    X(NOVELTY, "novelty", PUSH, "new collections, best sellers, now available")                    \
    X(UPSELL, "upsell", PUSH, "upgrade, premium, more than was bought")                            \
    X(WIN_BACK, "win_back", PUSH, "we miss you, come back")                                        \
    X(CART, "cart", PUSH, "a cart that was left, order again")                                     \
    X(OPT_OUT, "opt_out", SIGN, "how to stop advertising, its small print")                        \
    X(SHORT_LINK, "short_link", SIGN, "a link whose target is hidden by a shortener")              \
    X(LINK, "link", SIGN, "a link")                                                                \
    X(SHOUTING, "shouting", SIGN, "capitals and exclamation marks")                                \
    X(LENGTH, "length", SIGN, "a parameter that is a sentence of its own")                         \
    X(LEARNT, "learnt", SIGN, "words as advertising has them, by what was learnt")                 \
    X(APPLIED, "applied", APPLIED, "applied, refunded, received, expired: it happened")            \
    X(NOTHING, "nothing", NOTHING, "looks like an offer and is none")

enum rule {
#define X(name, text, kind, about) RULE_##name,
    RULES(X)
#undef X
        RULE_COUNT
};

#endif
