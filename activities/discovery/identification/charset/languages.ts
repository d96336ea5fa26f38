/**
 * How often letters other than those of ASCII occur in a language, relative to each other. They tell charsets apart: the right one turns
 * the bytes into letters that one language uses as often as that. Rounded; what a language does not use is not listed.
 */
const LATIN = [
  'ü35ä30ö17ß17é1', // German
  'é60à15è12ê7ç3ô3â2û2ù2î2œ1ë1ï1', // French
  'ó26í22á16é13ñ9ú5ü1ª1º1', // Spanish
  'ã23ç15é14á11ê9í9ó8õ7ú4à4â4ô3', // Portuguese
  'à26è25ù13ò10ì8é5', // Italian
  'å32ä35ö30é3', // Swedish, Finnish
  'å30ø28æ20é2ö1', // Danish, Norwegian
  'á17ð22í16þ10ó9æ8ö8é6ú6ý3', // Icelandic
  'é30ë30ï12è5ö5ü5á3ó3', // Dutch
  'ł18ę15ó13ż10ą12ś8ć5ń3ź1', // Polish
  'í28á23é14ě14ř11š10ž10č10ý9ů6ú3ť2ď1ň1ó1', // Czech
  'á20é13í13č12š10ľ9ž8ý8ť7ú7ô3ň3ď2ä2ó2ĺ1ŕ1', // Slovak
  'á34é32ö11ó10ő9ü6í6ú4ű2', // Hungarian
  'ă30ț10ţ10ș10ş10î13â8', // Romanian
  'č12š12ž8ć7đ4', // Croatian, Slovene
  'ı36ş17ü18ğ11ç11ö8İ1â1î1', // Turkish
  'ė20š14ž9ų13į8ą8č5ū5ę2', // Lithuanian
  'ā37ī22ē18š17ū8ņ6ļ5ķ3ž5ģ3č3ŗ1', // Latvian
  'ä27õ22ü15ö4š1ž1', // Estonian
  'ë60ç40', // Albanian
  'ŷ12ŵ12â30ô20ê12î14', // Welsh
] as const;

const OTHER = [
  'о110а80е84и73н67т63с55р47в45л43к35м32д30п28у26я20ы19ь17г17з16б16ч14й12х10ж9ш7ю6ц5щ4э3ф3ё2ъ1', // Russian
  'о94а83н65и61і57т55е50в52р46с40к39л37у34д32м31п29я25з23ь18б17г16ч14й13х11ц8ї8ж8ю8є7ш7щ4ф3ґ1', // Ukrainian
  'а117о87и87е81т76н66р50с48в41л33к31д30п28м25з21ъ20я18у16г16б14ч14щ10й10ц8ж8х8ш5ю2ф2ь1', // Bulgarian
  'а112и97о92е87н56р50с46т43ј41у42д35к37в37л33м34п28г17з16б15ч11ш10ц9ћ8ж6ф4њ8љ6х7ђ2џ1', // Serbian, Macedonian
  'о85α90ι71ε69τ73σ42ν62η40υ38ρ42π39κ39λ30ς37μ32ω20ά18ό17έ15ί17ή11ώ7ύ8θ12γ17δ17χ11φ9β7ξ5ζ3ψ2ϊ1', // Greek, see below
  'י111ו104ה108ל74א63ר56ת50מ48ב47ש44נ30ם30ע32ד25ק21פ20ח25כ25ט12ג13צ12ס15ז13ן11ך8ף2ץ1', // Hebrew
  'ا140ل120ي75م65و60ن65ر50ت45ب40ة35ع37د37س27ف29ه37ك25ق25أ25ح21ج14ش11ص11ط11خ9ذ9ى9ض6ث6إ6ز6غ5ئ4ء4ظ3آ2ؤ1،3؛1', // Arabic
  'า75น70ร68อ55ก50เ45ง44ม40ย38ล36ว34ด32ท32ส30ต26ะ24ป22บ22ค22ห28แ18จ17พ18ช12ข13ใ11ไ12โ8ั40ี32่50้40็8ิ30์14ู12ุ14ื16ณ6ผ6ธ5ศ4ษ4ญ3ถ9ซ5ภ5ำ9ฐ2ฏ1ฎ1ฟ2ฝ1ฉ1ๆ1ฯ1', // Thai
] as const;

/** A language's letters, each with the natural logarithm of its share. */
export interface Language {
  readonly script: 'latin' | 'other';
  readonly logShares: ReadonlyMap<string, number>;
}

/** Shares of capitals, of which a sentence has few. */
const CAPITALS = 0.06;

function languageOf(frequencies: string, script: Language['script']): Language {
  const shares = new Map<string, number>();
  for (const [, letter = '', share = ''] of frequencies.matchAll(/(\D)(\d+)/gu)) shares.set(letter, Number(share));
  // The Greek omicron looks like the Latin and the Cyrillic o.
  if (shares.has('α')) shares.set('ο', 85);
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
  const logShares = new Map<string, number>();
  for (const [letter, share] of shares) {
    const capital = letter.toUpperCase();
    if (capital !== letter && capital.length === 1) logShares.set(capital, Math.log((share * CAPITALS) / total));
    logShares.set(letter, Math.log(share / total));
  }
  return { script, logShares };
}

export const LANGUAGES: readonly Language[] = [
  ...LATIN.map((frequencies) => languageOf(frequencies, 'latin')),
  ...OTHER.map((frequencies) => languageOf(frequencies, 'other')),
];

/** Frequent characters of Chinese (both scripts) and Japanese, and those of the trade. */
export const COMMON_IDEOGRAPHS: ReadonlySet<string> = new Set(
  '的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运' +
    '这來們為國時說會過後裡種經麼學對發當沒動還進樣開實個長機無軍關點業將兩間問應戰頭體見產條話數電報結處論務場計統隊書聽強難權設記類據邊張該規萬領傳師觀識帶導爭運與' +
    '压流功率变站线设备负荷调度系统温据报告停供网测量检修开闭电源额定值告警故障保护母线断路器変電所圧流線器送受配発運転測定値時刻開始終了日本語読出込書表示名無有使用場合設定記録報告点検' +
    '年月日時分秒前後上下左右入出力回路番号',
);
