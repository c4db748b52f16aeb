#include "templates/fixed_text.h"

static const struct fixed_text fixed_texts[] = {
    {"en", "*{{1}}* is your verification code.", " For your security, do not share this code.",
     "This code expires in %d minutes."},
    {"fr", "*{{1}}* est votre code de vérification.", " Pour votre sécurité, ne le partagez pas.",
     "Ce code expire dans %d minutes."},
    {"es", "*{{1}}* es tu código de verificación.", " Por tu seguridad, no lo compartas.",
     "Este código caduca en %d minutos."},
    {"pt", "*{{1}}* é seu código de verificação.", " Para sua segurança, não o compartilhe.",
     "Este código expira em %d minutos."},
    {"de", "*{{1}}* ist dein Bestätigungscode.",
     " Gib diesen Code zu deiner Sicherheit nicht weiter.", "Dieser Code läuft in %d Minuten ab."},
    {"it", "*{{1}}* è il tuo codice di verifica.", " Per la tua sicurezza, non condividerlo.",
     "Questo codice scade tra %d minuti."},
    {"nl", "*{{1}}* is je verificatiecode.", " Deel deze code voor je eigen veiligheid niet.",
     "Deze code verloopt over %d minuten."},
    {"ar", "*{{1}}* هو رمز التحقق الخاص بك.", " للحفاظ على أمانك، لا تشارك هذا الرمز.",
     "تنتهي صلاحية هذا الرمز خلال %d دقيقة."},
    {"hi", "*{{1}}* आपका सत्यापन कोड है।", " अपनी सुरक्षा के लिए, इस कोड को साझा न करें।",
     "यह कोड %d मिनट में समाप्त हो जाएगा।"},
    {"id", "*{{1}}* adalah kode verifikasi Anda.", " Demi keamanan, jangan bagikan kode ini.",
     "Kode ini kedaluwarsa dalam %d menit."},
    {"tr", "*{{1}}* doğrulama kodunuz.", " Güvenliğiniz için bu kodu paylaşmayın.",
     "Bu kodun süresi %d dakika içinde dolar."},
    {"ru", "*{{1}}* — ваш код подтверждения.", " В целях безопасности никому его не сообщайте.",
     "Код действует %d мин."},
};

const struct fixed_text *
fixed_text_of(struct span language)
{
    for (size_t i = 1; i < sizeof(fixed_texts) / sizeof(fixed_texts[0]); i++)
        if (span_starts(language, span_of(fixed_texts[i].language)))
            return &fixed_texts[i];
    return &fixed_texts[0];
}
