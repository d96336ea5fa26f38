import type { Finding, TextSample } from './sample.ts';

interface Language {
  readonly name: string;
  /** Each kind of line that is seldom anything else, with how much it says. */
  readonly signs: readonly RegExp[];
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'javascript',
    signs: [
      /^\s{0,99}(?:const|let|var) [\w${}, [\]]{1,80} ?=/,
      /^\s{0,99}(?:export|import)\b.{0,300}(?:from\s{0,99}['"]|\{|default|['"];?$)/,
      /=>\s{0,99}[{(\w]/,
      /\brequire\(['"]/,
      /^\s{0,99}(?:async )?function\*? ?\w*\(/,
      /^\s{0,99}\}\s{0,99}(?:else|catch|finally)?\b.{0,300}[{]?\s{0,99};?$/,
      /^\s{0,99}(?:module\.)?exports\b/,
      /^['"]use strict['"]/,
      /===|!==/,
      /^\s{0,99}(?:return|await|throw new|case|this\.)\b.{0,300};?$/,
    ],
  },
  {
    name: 'typescript',
    signs: [
      /^\s{0,99}(?:export )?(?:declare )?(?:interface|type|enum|namespace|abstract class) \w{1,99}/,
      /^\s{0,99}(?:readonly |private |public |protected )?\w{1,99}\??: [\w<>[\]|{} ]+[;,]$/,
      /\): [\w<>[\]| ]+ (?:\{|=>)/,
      /^\s{0,99}import type /,
      /^export \{/,
    ],
  },
  {
    name: 'python',
    signs: [
      /^\s{0,99}(?:async )?def \w{1,99}\([^\n\r)\u2028\u2029]*\).{0,300}:/,
      /^\s{0,99}class \w{1,99}(?:\(.{0,300}\))?:/,
      /^(?:from [\w.]+ )?import [\w., *()]+$/,
      /^\s{0,99}(?:if|elif|for|while|with|try|except|else|finally)\b.{0,300}:\s{0,99}(?:#.{0,300})?$/,
      /^\s{0,99}self\.\w{1,99}/,
      /^\s{0,99}(?:return|raise|yield|print)\b[^;{]*$/,
      /^\s{0,99}@\w[\w.]*(?:\(.{0,300}\))?$/,
      /^\s{0,99}(?:"""|''')/,
    ],
  },
  {
    name: 'c',
    signs: [
      /^\s{0,99}#\s{0,99}(?:include\s{0,99}[<"]|define\s{1,99}\w|ifdef|ifndef|endif|pragma)/,
      /^\s{0,99}(?:static |extern |const |unsigned |inline |virtual )*(?:int|void|char|float|double|bool|size_t|long|struct \w{1,99}|uint\d+_t|auto|std::\w{1,99})[ *&]+\w.{0,300}[;{(,)]\s{0,99}$/,
      /^\s{0,99}(?:typedef|using namespace|template\s{0,99}<|namespace \w{1,99})/,
      /\w->\w|\w::\w/,
      /^\s{0,99}(?:return|break|case .{0,300}:|if ?\(.{0,300}|for ?\(.{0,300}|while ?\(.{0,300})[;{]?\s{0,99}$/,
    ],
  },
  {
    name: 'java',
    signs: [
      /^\s{0,99}package [\w.]+;/,
      /^\s{0,99}import (?:static )?[\w.{0,300}]+;/,
      /^\s{0,99}(?:public|private|protected)\b.{0,300}[;{(,]\s{0,99}$/,
      /^\s{0,99}@\w{1,99}(?:\(.{0,300}\))?$/,
      /^\s{0,99}(?:final |static )*\w{1,99}(?:<.{0,300}>)? \w{1,99} = .{0,300};$/,
      /\bnew \w{1,99}(?:<.{0,300}>)?\(/,
    ],
  },
  { name: 'csharp', signs: [/^\s{0,99}using [\w.]+;/, /^\s{0,99}namespace [\w.]+/, /\{ get; (?:private )?set; \}/] },
  {
    name: 'go',
    signs: [
      /^package \w{1,99}$/,
      /^func (?:\(.{0,300}\) )?\w{1,99}\(/,
      /^\s{0,99}\w{1,99}(?:, \w{1,99})* := /,
      /^import \(?/,
      /^\s{0,99}(?:type \w{1,99} (?:struct|interface)|defer |go func)/,
    ],
  },
  {
    name: 'rust',
    signs: [
      /^\s{0,99}(?:pub(?:\(.{0,300}\))? )?(?:fn|struct|enum|trait|impl|mod|use)\b.{0,300}[{;(,]\s{0,99}$/,
      /^\s{0,99}let (?:mut )?\w{1,99}/,
      /^\s{0,99}#!?\[\w{1,99}/,
      /\w::\w.{0,300}[;{]/,
    ],
  },
  {
    name: 'shell',
    signs: [
      /^#!.{0,300}\b(?:sh|bash|zsh|ksh|dash)\b/,
      /^\s{0,99}(?:if|elif|while) (?:\[|!|\w{1,99} ).{0,300}(?:; ?(?:then|do))?$/,
      /^\s{0,99}(?:fi|done|esac|then|do|else)\s{0,99}$/,
      /^\s{0,99}(?:export|local|readonly|source|echo|exit|set -|cd|rm|mkdir|cp|mv|sudo|exec|shift|trap)\b/,
      /\$\{?\w{1,99}\}?/,
      /^\s{0,99}\w{1,99}\(\)\s{0,99}\{/,
      /^\s{0,99}for \w{1,99} in /,
    ],
  },
  {
    name: 'batch',
    signs: [
      /^\s{0,99}@?echo (?:off|on)\b/i,
      /^\s{0,99}rem\b/i,
      /^\s{0,99}(?:set|if|goto|call|for|copy|del|cd|start|xcopy|exit|pause)\b .{0,300}[%\\/"]/i,
      /^:\w{1,99}$/,
      /%[\w~]+%/,
    ],
  },
  {
    name: 'powershell',
    signs: [
      /^\s{0,99}\$\w{1,99}\s{0,99}=/,
      /\b(?:Get|Set|New|Write|Import|Export|Remove|Add)-[A-Z]\w{1,99}/,
      /^\s{0,99}(?:param|function)\b.{0,300}[({]/i,
      /-(?:eq|ne|lt|gt|like|match)\b/,
    ],
  },
  {
    name: 'visual-basic',
    signs: [
      /^\s{0,99}(?:Private |Public )?(?:Sub|Function|Property)\b/i,
      /^\s{0,99}End (?:Sub|Function|If|Select|With|Type)/i,
      /^\s{0,99}Dim \w{1,99}/i,
      /^\s{0,99}(?:Attribute VB_|Option Explicit|Set \w{1,99} = )/i,
      /\bThen\s{0,99}$/,
    ],
  },
  {
    name: 'fortran',
    signs: [
      /^\s{0,99}(?:program|subroutine|module|end (?:do|if|program|subroutine)|implicit none|call \w{1,99})\b/i,
      /^\s{0,99}(?:integer|real|double precision|character|logical)\b.{0,300}(?:::|\w)/i,
      /^[Cc*] {2,}/,
      /^\s{0,99}\d{1,5}\s{1,99}(?:format|continue)/i,
      /\.(?:eq|ne|lt|gt|le|ge|and|or)\./i,
      /^ {6,}\w.{0,300}=/,
    ],
  },
  {
    name: 'pascal',
    signs: [
      /^\s{0,99}(?:begin|end[;.]?|program \w{1,99};|unit \w{1,99};|uses\b.{0,300}|interface|implementation|procedure \w.{0,300};|function \w.{0,300};|var|type)\s{0,99}$/i,
      /:=/,
      /\bthen\b|\bdo\b/i,
    ],
  },
  {
    name: 'structured-text',
    signs: [
      /^\s{0,99}(?:FUNCTION_BLOCK|PROGRAM|VAR(?:_\w{1,99})?|END_VAR|END_IF|END_PROGRAM|END_FUNCTION_BLOCK|CASE|END_CASE)\b/,
      /:=.{0,300};/,
    ],
  },
  {
    name: 'matlab',
    signs: [
      /^\s{0,99}function\b.{0,300}=\s{0,99}\w{1,99}/,
      /^\s{0,99}%/,
      /^\s{0,99}(?:end|clear all|close all|clc|hold on|figure)\b;?/,
      /\b(?:zeros|ones|plot|disp|fprintf|linspace|size|length)\(/,
      /\.[*/^]/,
    ],
  },
  {
    name: 'perl',
    signs: [/^#!.{0,300}perl/, /^\s{0,99}(?:my|our|use|sub)\b.{0,300}[;{]$/, /^\s{0,99}\$\w{1,99}->/, /=~/],
  },
  {
    name: 'php',
    signs: [
      /<\?php/,
      /^\s{0,99}\$\w{1,99} = .{0,300};$/,
      /->\w{1,99}\(/,
      /^\s{0,99}(?:public|private|protected)? ?function \w{1,99}\(/,
    ],
  },
  {
    name: 'ruby',
    signs: [
      /^\s{0,99}require(?:_relative)? ['"]/,
      /^\s{0,99}(?:def|module|class) [\w.:<? !]+$/,
      /^\s{0,99}end$/,
      /\bdo \|\w{1,99}\|/,
      /^\s{0,99}attr_\w{1,99} :/,
    ],
  },
  {
    name: 'css',
    signs: [
      /^\s{0,99}[.#@:]?[\w.#:> ,*-]{1,100}\s{0,99}\{\s{0,99}$/,
      /^\s{0,99}[\w-]{2,30}:\s[^;{}]{1,200};\s{0,99}$/,

      /^\s{0,99}@(?:media|import|font-face|keyframes)\b/,
    ],
  },
  { name: 'r', signs: [/<- (?:function|c)\(/, /^\s{0,99}library\(/, /\w{1,99} <- /] },
  {
    name: 'lua',
    signs: [/^\s{0,99}local (?:function )?\w{1,99}/, /^\s{0,99}(?:end|then|elseif)\b/, /\.\.\s{0,99}["']/],
  },
  {
    name: 'makefile',
    signs: [/^[\w./%$(){}-]+:(?: [\w./$(){} %-]*)?$/, /^\t[@-]?\$?\w/, /^\.PHONY:/, /\$\([\w@<^ -]+\)/],
  },
];

const COMMENT = /^\s{0,99}(?:\/\/|\/\*|\*|#(?!include|define|if|endif)|--|;|%|'|REM\b|<!--)/i;
const LEAST_SHARE = 0.3;

/** Source code, by lines that hardly anything else has. */
export function findCode(sample: TextSample): Finding | undefined {
  const lines = sample.lines
    .filter((line) => line.trim() !== '' && !COMMENT.test(line))
    .slice(0, 600)
    .map((line) => line.slice(0, 400));
  if (lines.length < 2) return minified(sample);
  const scores = LANGUAGES.map(({ name, signs }) => {
    const used = new Set<number>();
    let hits = 0;
    for (const line of lines) {
      const sign = signs.findIndex((each) => each.test(line));
      if (sign < 0) continue;
      hits++;
      used.add(sign);
    }
    return { name, share: hits / lines.length, signs: used.size };
  }).sort((one, other) => other.share * Math.min(3, other.signs) - one.share * Math.min(3, one.signs));
  const [best] = scores;
  const interpreter = /^#!.{0,60}\b(?:env )?(\w{1,99})/.exec(sample.lines[0] ?? '')?.[1];
  const structure = lines.filter((line) => /[{};]\s{0,99}$/.test(line)).length / lines.length;
  if (/^@echo off\s{0,9}$/i.test(sample.lines[0] ?? '')) return finding('batch', 'turns its echo off', 0.95);
  if (interpreter !== undefined) return finding(interpreter, 'names its interpreter', 0.96);
  if (best === undefined || best.signs < 2 || (best.share < LEAST_SHARE && !(best.share > 0.15 && structure > 0.35)))
    return minified(sample);
  const weight = Math.min(
    0.95,
    0.45 +
      best.share * 0.5 +
      (best.signs >= 3 ? 0.15 : 0) +
      Math.min(0.15, structure * 0.3) -
      (lines.length < 5 ? 0.1 : 0),
  );
  return finding(best.name, `${Math.round(best.share * 100)} % of its lines are ${best.name}`, weight);
}

function finding(language: string, found: string, weight: number): Finding {
  return { detector: 'code', found, weight, format: `text/x-${language}`, facts: { language } };
}

/** Scripts squeezed into a few long lines. */
function minified(sample: TextSample): Finding | undefined {
  const text = sample.text.slice(0, 40_000);
  if (text.length < 60 || sample.lines.length > 60) return undefined;
  const signs =
    text.match(/\bfunction\b|=>|\breturn\b|\bvar \w|\bconst \w|\.prototype\.|===|\}\)|;\}|\bexport\b|\brequire\(/g)
      ?.length ?? 0;
  if (signs < 4 || (signs / text.length) * 1_000 < 4) return undefined;
  return finding(
    'javascript',
    `${signs} pieces of syntax in few lines`,
    Math.min(0.9, 0.6 + (signs / text.length) * 10),
  );
}
