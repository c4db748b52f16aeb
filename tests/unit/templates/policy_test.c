#include "templates/policy/policy.h"
#include "templates/policy/rules.h"
#include "tests/unit/test.h"

#include <string.h>

struct sample {
    const char *language;
    const char *text;
    const char *rule;  /* of some finding; NULL: must not be promotional */
    const char *words; /* that it quotes, as the producer wrote them */
};

static bool
has_finding(const struct judgement *judgement, const struct sample *sample)
{
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        struct span words = {sample->text + finding->start, finding->end - finding->start};
        if (strcmp(finding->rule, sample->rule) == 0 && span_equal(words, span_of(sample->words)))
            return true;
    }
    return false;
}

static void
print_judgement(const struct sample *sample, const struct judgement *judgement)
{
    printf("%.2f \"%s\"", judgement->score, sample->text);
    for (uint32_t i = 0; i < judgement->finding_count; i++)
        printf(" [%s: %.*s]", judgement->findings[i].rule,
               (int)(judgement->findings[i].end - judgement->findings[i].start),
               sample->text + judgement->findings[i].start);
    printf("\n");
}

static void
judge_all(const struct sample *samples, size_t count,
          void (*judge)(struct span, struct span, struct judgement *))
{
    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[i];
        struct judgement judgement;
        judge(span_of(sample->text), span_of(sample->language), &judgement);
        bool good = judgement.promotional == (sample->rule != NULL) &&
                    (sample->rule == NULL || has_finding(&judgement, sample));
        if (!good)
            print_judgement(sample, &judgement);
        expect(good);
        expect(judgement.promotional == (judgement.score >= POLICY_THRESHOLD));
        expect(judgement.score >= 0 && judgement.score <= 1);
    }
}
#define JUDGE_ALL(samples, judge) judge_all(samples, sizeof(samples) / sizeof((samples)[0]), judge)

static void
catches_promotion(void)
{
    static const struct sample samples[] = {
        {"en", "Summer sale: take 30% off all shoes until Sunday", "percent_off", "30% off"},
        {"en", "Use promo code SUN5 on your next order", "coupon", "promo code"},
        {"en", "Hurry, shop now before it's gone", "urgency", "before it's gone"},
        {"en", "Refer a friend and earn points today", "referral", "Refer a friend"},
        {"en", "We miss you! Here is a free gift.", "win_back", "We miss you"},
        {"en", "Buy one get one free on all pizzas", "free", "Buy one get one"},
        {"en", "Enter our prize draw and win a car", "prize", "prize draw"},
        {"en", "Discover our new collection in store", "novelty", "new collection"},
        {"en", "Save €20 on your first order", "price_off", "Save €20"},
        {"fr", "Soldes : -40 % sur tout le rayon enfant", "discount", "Soldes"},
        {"fr", "Bon d'achat de 10 € à utiliser en boutique", "coupon", "Bon d'achat"},
        {"fr", "Dernière chance pour profiter de nos offres", "urgency", "Dernière chance"},
        {"fr", "Parrainez un ami et recevez 15 €", "referral", "Parrainez"},
        {"fr", "Livraison offerte ce week-end, profitez-en", "free", "Livraison offerte"},
        {"fr", "Tentez de gagner un vélo électrique", "prize", "Tentez de gagner"},
        {"fr", "Découvrez notre nouvelle collection d'hiver", "novelty", "nouvelle collection"},
        {"fr", "Vente flash jusqu'à ce soir", "offer", "Vente flash"},
        {"es", "Rebajas: 40 % de descuento en zapatos", "percent_off", "40 % de descuento"},
        {"es", "Usa el código SOL5 y ahorra 10 € hoy", "price_off", "ahorra 10 €"},
        {"es", "¡Última oportunidad! Compra ahora", "urgency", "Última oportunidad"},
        {"es", "Invita a un amigo y gana puntos", "referral", "Invita a un amigo"},
        {"es", "2x1 en todas las pizzas", "free", "2x1"},
        {"es", "Participa en nuestro sorteo y gana un viaje", "prize", "en nuestro sorteo"},
        {"es", "Te echamos de menos, vuelve pronto", "win_back", "Te echamos de menos"},
        /* Mixed with a real notification: counts as promotional. */
        {"en", "Your order 12 was shipped. FLASH SALE: -50 % on all bags!", "offer", "FLASH SALE"},
        {"fr", "Votre colis 12 est livré. Code promo : HIVER", "coupon", "Code promo"},
        {"es", "Tu pedido 12 fue entregado. Oferta especial solo hoy", "offer", "Oferta especial"},
        /* In another language than the template's, and in one that has no rules. */
        {"fr", "Votre colis est livré. Special offer, free shipping!", "offer", "Special offer"},
        {"de", "Your parcel is here. Special offer for you", "offer", "Special offer"},
        {"", "Oferta especial: envío gratis", "offer", "Oferta especial"},
    };
    JUDGE_ALL(samples, policy_judge);
}

static void
lets_notifications_pass(void)
{
    static const struct sample samples[] = {
        {"en", "Hello Ann, your order CMD-1042 was delivered on Tuesday at 10:15.", NULL, NULL},
        {"en", "Your 20% discount was applied to order 12; total paid €30.", NULL, NULL},
        {"en", "Coupon SUN5 could not be applied to order 12, as it has expired.", NULL, NULL},
        {"en", "Your refund of $20 for the returned gift card has been processed.", NULL, NULL},
        {"en", "Free cancellation of booking 12 ends on Friday.", NULL, NULL},
        {"en", "The shop is closed today. Feel free to call us at +33 1 23 45.", NULL, NULL},
        {"en", "Your receipt: subtotal $20, discount $2, total $18.", NULL, NULL},
        {"en", "Your job offer is ready to be signed: https://hr.example/o/12", NULL, NULL},
        {"en", "Your claim 12 was received. Claim number: AB-12.", NULL, NULL},
        {"en", "482913 is your verification code. Do not share it.", NULL, NULL},
        {"en", "Doors open at 7 pm. Free parking behind the hall.", NULL, NULL},
        {"fr", "Bonjour Zoé, votre commande CMD-1042 a été livrée le 5 mai.", NULL, NULL},
        {"fr", "Votre remise de 10 % a bien été appliquée à la commande 12.", NULL, NULL},
        {"fr", "Le code HIVER n'a pas pu être appliqué : il a expiré.", NULL, NULL},
        {"fr", "Votre colis a été remis au voisin, remise contre signature.", NULL, NULL},
        {"fr", "L'annulation gratuite est possible jusqu'au 5 mai.", NULL, NULL},
        {"fr", "Votre offre de prêt 12 a été acceptée. Le solde est de 1 250 €.", NULL, NULL},
        {"fr", "Votre carte cadeau achetée le 5 mai a été livrée.", NULL, NULL},
        {"fr", "Le paiement de 50 % d'acompte est dû le 5 mai.", NULL, NULL},
        {"es", "Hola, Clara: tu pedido CMD-1042 se entregó el 5 de mayo.", NULL, NULL},
        {"es", "Tu descuento del 10% se aplicó al pedido 12.", NULL, NULL},
        {"es", "No pudimos aplicar el código SOL5 porque ha caducado.", NULL, NULL},
        {"es", "El reembolso de 50 € del pedido 12 ha sido procesado.", NULL, NULL},
        {"es", "La tarjeta regalo que compraste ha sido entregada.", NULL, NULL},
        {"es", "La cancelación gratuita de la reserva termina el viernes.", NULL, NULL},
        {"es", "El camión sale ahora: llegará a las 14:30.", NULL, NULL},
        {"fr", "WIFI: CAFE-AZUR, MOT DE PASSE: AB12!! BIENVENUE!!", NULL, NULL},
        {"", "", NULL, NULL},
        {"", "日本語のお知らせ 12", NULL, NULL},
    };
    JUDGE_ALL(samples, policy_judge);
}

static void
sees_through_disguises(void)
{
    static const struct sample samples[] = {
        {"en", "F r e e   g i f t for you, shop n0w", "call_to_action", "shop n0w"},
        {"en", "Big S.A.L.E today only", "urgency", "today only"},
        {"en", "P-r-o-m-o c0de inside", "coupon", "P-r-o-m-o c0de"},
        {"en", "𝗙𝗹𝗮𝘀𝗵 𝘀𝗮𝗹𝗲 on all bags", "offer", "𝗙𝗹𝗮𝘀𝗵 𝘀𝗮𝗹𝗲"},
        {"en",
         "Fl\xe2\x80\x8b"
         "ash s\xe2\x80\x8b"
         "ale on bags",
         "offer",
         "Fl\xe2\x80\x8b"
         "ash s\xe2\x80\x8b"
         "ale"},
        {"fr", "V3nt3 fl4sh sur les sacs", "offer", "V3nt3 fl4sh"},
        {"fr", "Соdе рrоmо HIVER", "coupon", "Соdе рrоmо"},
        {"fr", "ＣＯＤＥ ＰＲＯＭＯ HIVER", "coupon", "ＣＯＤＥ ＰＲＯＭＯ"},
        {"fr", "Livraison g.r.a.t.u.i.t.e, s o l d e s", "discount", "s o l d e s"},
        {"es", "0f3rt4 3sp3c1al para ti", "offer", "0f3rt4 3sp3c1al"},
        {"es", "Ultima op*o*rtunidad, c o m p r a ya", "call_to_action", "c o m p r a ya"},
        {"es", "🔥Oferta 🔥especial", "offer", "Oferta 🔥especial"},
    };
    JUDGE_ALL(samples, policy_judge);
}

static void
is_stricter_with_parameters(void)
{
    static const struct sample samples[] = {
        {"en", "12. FLASH SALE -50 %", "offer", "FLASH SALE"},
        {"en", "12 - order now", "call_to_action", "order now"},
        {"fr", "Zoé, profitez de nos prix", "call_to_action", "profitez de nos"},
        {"es", "12, compra ya", "call_to_action", "compra ya"},
        {"en", "bit.ly/3xYz", "short_link", "bit.ly/3xYz"},
        {"en", "parcel 12, see https://t.ly/abc", "short_link", "https://t.ly/abc"},
        {"en", "Ann", NULL, NULL},
        {"en", "CMD-1042", NULL, NULL},
        {"en", "-20 %", NULL, NULL},
        {"en", "20% ", NULL, NULL},
        {"en", "€ 12.50", NULL, NULL},
        {"en", "https://track.example/p/12", NULL, NULL},
        {"en", "Tuesday 24 November between 10 am and 12 noon", NULL, NULL},
        {"fr", "12 rue de la Liberté, 75011 Paris, 3e étage, code B12, chez Mme Martin-Duval", NULL,
         NULL},
        {"es", "calle Mayor 12, 3.º B, 28013 Madrid", NULL, NULL},
    };
    JUDGE_ALL(samples, policy_judge_parameter);
    /* The same words are let pass in a whole text. */
    static const struct sample whole[] = {
        {"en", "Your table is ready to order now.", NULL, NULL},
    };
    JUDGE_ALL(whole, policy_judge);
}

static void
orders_its_findings(void)
{
    static const char text[] = "Hurry! Free gift, 50% off, promo code X, flash sale, win a car, "
                               "shop now, we miss you, refer a friend, new collection";
    struct judgement judgement;
    policy_judge(span_of(text), SPAN("en"), &judgement);
    expect_u64(judgement.finding_count, POLICY_FINDINGS_MAX);
    for (uint32_t i = 1; i < judgement.finding_count; i++)
        expect(judgement.findings[i - 1].weight >= judgement.findings[i].weight);
    expect_text(judgement.findings[0].rule, "percent_off");
}

/* A long text is folded in pieces: nothing at their borders is missed or said twice. */
static void
reads_long_texts(void)
{
    static char text[4500];
    static const struct span offer = {" special offer ", 15};
    for (size_t place = 1500; place < 2500; place++) {
        struct judgement judgement;
        memset(text, 'x', sizeof(text));
        for (size_t i = 7; i < sizeof(text); i += 8)
            text[i] = ' ';
        memcpy(text + place, offer.data, offer.size);
        policy_judge((struct span){text, sizeof(text)}, SPAN("en"), &judgement);
        expect(judgement.promotional);
        expect_u64(judgement.finding_count, 1);
        expect_u64(judgement.findings[0].start, place + 1);
        expect_u64(judgement.findings[0].end, place + 14);
    }
    static char large[POLICY_TEXT_MAX + 1];
    struct judgement judgement;
    memset(large, 'a', sizeof(large));
    policy_judge((struct span){large, POLICY_TEXT_MAX}, SPAN("en"), &judgement);
    expect(!judgement.promotional);
    policy_judge((struct span){large, POLICY_TEXT_MAX + 1}, SPAN("en"), &judgement);
    expect(judgement.promotional);
    expect_text(judgement.findings[0].rule, "length");
}

static void
judges_a_template(void)
{
    static const char json[] =
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":[{\"type\":"
        "\"BODY\",\"text\":\"Hi {{1}}, take {{2}}% off\"},{\"type\":\"BUTTONS\",\"buttons\":[{"
        "\"type\":\"QUICK_REPLY\",\"text\":\"Shop now\"}]}]}";
    struct error_text error;
    struct template *template = template_read(span_of(json), "t", &error);
    struct judgement judgement;
    policy_judge_template(template, &judgement);
    expect(judgement.promotional);
    char memory[TEMPLATE_WHOLE_MAX];
    struct buffer whole;
    buffer_init(&whole, memory, sizeof(memory));
    template_put_whole(template, &whole);
    const struct finding *first = &judgement.findings[0];
    expect_span(((struct span){whole.data + first->start, first->end - first->start}),
                SPAN("{{2}}% off"));
    template_close(template);
}

/* The same text gives the same judgement, and findings lie within it. */
static void
survives_garbage(void)
{
    static const char *const parts[] = {
        "free ", "sale",     "50% ",  "\xff",    "p r o m o", "-",  "€12",      " off", "é",   "!!",
        "\n",    "bit.ly/x", "{{1}}", "refund ", "0",         "{{", "https://", ".",    "www."};
    uint64_t seed = 362436069u;
    for (int round = 0; round < 5000; round++) {
        static char text[9000];
        struct buffer buffer;
        struct judgement a;
        struct judgement b;
        buffer_init(&buffer, text, round % 50 == 0 ? sizeof(text) : 100);
        while (!buffer.overflow) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            buffer_put_text(&buffer, parts[(seed >> 20) % (sizeof(parts) / sizeof(parts[0]))]);
        }
        policy_judge_parameter(buffer_span(&buffer), SPAN("pt"), &a);
        policy_judge_parameter(buffer_span(&buffer), SPAN("pt"), &b);
        expect(a.score == b.score && a.finding_count == b.finding_count);
        for (uint32_t i = 0; i < a.finding_count; i++)
            expect(a.findings[i].start < a.findings[i].end && a.findings[i].end <= buffer.size);
    }
}

int
main(void)
{
    TEST(catches_promotion);
    TEST(lets_notifications_pass);
    TEST(sees_through_disguises);
    TEST(is_stricter_with_parameters);
    TEST(orders_its_findings);
    TEST(reads_long_texts);
    TEST(judges_a_template);
    TEST(survives_garbage);
    return test_end();
}
