import type { Finding, TextSample } from './sample.ts';

/** The commonest words of languages: of running text every fourth word or so is one of them. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  (
    'the of and to in is that it was for on are as with his they be at one have this from or had by not but what all were we when your can said there an which their if will each about up out them then many some so would other into has more no could been its who now did down may over any also these than only must should ' +
    'der die und den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn keine ihr wir ' +
    'le la les et des en un une du que est pour qui dans sur pas plus par ce avec sont il elle au aux ne se mais nous vous cette ses ' +
    'el los las y del se por con para una como más pero sus al lo esta entre cuando muy sin sobre también ' +
    'di che non per sono della nel con una gli alla ' +
    'o a os as do da em um uma não com para mais dos das ' +
    'och att det som på är av för med den till en har inte om ett men ' +
    'og til af på er det ikke som med for ' +
    'de het een van en te dat niet zijn op met voor aan ' +
    'i w na z do się nie to jest że o ' +
    'a v se na je že to s z do ' +
    'и в не на что с по как это из к от за для но ' +
    'și de la în cu pe nu să este ' +
    'az és hogy nem egy is a ' +
    'bir ve bu da için ile ' +
    'ja on ei se että oli'
  ).split(' '),
);

const GREETING =
  /^\s*(?:dear\b|hello\b|hi\b[ ,]|sehr geehrte|liebe[rs]?\b|hallo\b|guten tag|madame|monsieur|cher\b|chère\b|bonjour|estimad[oa]s?\b|gentile|egregio|szanown|уважаем|to whom it may concern)/im;
const CLOSING =
  /^\s{0,99}(?:(?:(?:best|kind|warm) )?regards|sincerely|yours (?:truly|faithfully|sincerely)|mit (?:freundlichen|besten|herzlichen) grüßen|mit freundlichem gruß|mfg|viele grüße|beste grüße|cordialement|salutations|saludos|atentamente|cordiali saluti|distinti saluti|z poważaniem|с уважением|med vänlig hälsning)/im;
const CODE_LINE =
  /[;{}]\s*$|^\s*(?:#include|import |def |class |function |return\b|if \(|for \(|public |private |const |let |var )|[=!]==?|=>|\w\(\)|::|->/;

/** Running text: sentences of words, of which many are the commonest of a language. */
export function findProse(sample: TextSample): readonly Finding[] {
  const text = sample.text.slice(0, 60_000);
  const words = text.toLowerCase().match(/\p{L}+(?:['’]\p{L}+)?/gu) ?? [];
  const found: Finding[] = [];
  const lines = sample.lines.filter((line) => line.trim() !== '').slice(0, 2_000);
  if (lines.length === 0) return found;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const solid = text.replace(/\s+/g, '').length;
  const eastern =
    (text.match(/[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3\u0e00-\u0e7f]/g)?.length ?? 0) / Math.max(1, solid);
  const share = letters / Math.max(1, solid);
  const common = words.filter((word) => COMMON_WORDS.has(word)).length / Math.max(1, words.length);
  const sentences = text.match(/\p{L}{2}[)"”’»]?[.!?](?:["”’»)]?\s|$)/gu)?.length ?? 0;
  const sentencesEast = text.match(/[。！？]/g)?.length ?? 0;
  const perSentence = words.length / Math.max(1, sentences);
  const code = lines.filter((line) => CODE_LINE.test(line)).length / lines.length;
  const isEastern = eastern > 0.6 && sentencesEast > 0;
  const isWestern =
    words.length >= 12 &&
    share > 0.78 &&
    common > 0.18 &&
    (sentences >= 2 || (sentences === 1 && words.length < 40)) &&
    perSentence < 80;
  if ((isWestern || isEastern) && code < 0.15) {
    // Comments are prose too, of what is not.
    const commented =
      lines.filter((line) => /^\s{0,99}(?:#|\/\/|\/?\*|;|--|%|REM\b|"""|''')/i.test(line)).length / lines.length;
    const statements = lines.filter((line) =>
      /^\s{0,99}(?:import |from \S{1,99} import|def |class |#include|package |use |const |let |var |function )/.test(
        line,
      ),
    ).length;
    const doubt = (commented > 0.3 ? 0.5 : 1) * (statements >= 2 ? 0.6 : 1);
    const weight = doubt * (isEastern ? 0.85 : Math.min(0.95, 0.45 + common + Math.min(0.15, sentences / 60) - code));
    found.push({
      detector: 'prose',
      found: `${words.length} words, ${sentences + sentencesEast} sentences`,
      weight,
      format: 'text/plain',
      facts: { words: words.length },
    });
  }
  const [greets, closes] = [GREETING.test(text.slice(0, 3_000)), CLOSING.test(text.slice(-3_000))];
  if (closes && words.length > 8 && words.length < 4_000 && code < 0.15) {
    found.push({
      detector: greets ? 'letter' : 'closing',
      found: greets ? 'a greeting and a closing' : 'a closing of a letter',
      weight: greets ? 0.93 : 0.6,
      format: 'text/plain',
    });
  }
  const marks = lines.filter((line) =>
    /^(?:#{1,6} \S|\s{0,3}[-*+] \S|\d+\. \S|```|> \S|\|.*\|\s*$)|\[[^\]\n]{1,100}\]\([^)\n]{1,300}\)|\*\*[^*\n]{1,100}\*\*|`[^`\n]{1,100}`/.test(
      line,
    ),
  ).length;
  const headings = lines.filter((line) => /^#{1,6} \S|^(?:={3,}|-{3,})$/.test(line)).length;
  // Comments in code begin with # too, but one after the other, with code between them and no other marks.
  const isCommented = lines.some((line, at) => /^# ?\S/.test(line) && /^# ?\S/.test(lines[at + 1] ?? ''));
  if (
    headings >= 1 &&
    marks > headings &&
    marks >= 3 &&
    !isCommented &&
    (marks / lines.length > 0.15 || /\]\(https?:/.test(text)) &&
    code < 0.4 &&
    !text.startsWith('#!')
  ) {
    found.push({
      detector: 'markdown',
      found: `${headings} headings, ${marks} lines with marks`,
      weight: Math.min(0.9, 0.6 + marks / lines.length),
      format: 'text/markdown',
    });
  }
  if (/^\s*(?:%.*\n\s*)*\\documentclass|\\begin\{document\}/.test(text)) {
    found.push({ detector: 'markdown', found: 'a document of LaTeX', weight: 0.95, format: 'text/x-tex' });
  }
  return found;
}
