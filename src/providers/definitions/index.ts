/** Every bundled definition, by import, so that a bundler finds them. A test holds this list against the folder. */
import anthropic from './anthropic.json' with { type: 'json' };
import github from './github.json' with { type: 'json' };
import gitlab from './gitlab.json' with { type: 'json' };
import google from './google.json' with { type: 'json' };
import linear from './linear.json' with { type: 'json' };
import linearMcp from './linear-mcp.json' with { type: 'json' };
import notion from './notion.json' with { type: 'json' };
import openai from './openai.json' with { type: 'json' };
import resend from './resend.json' with { type: 'json' };
import slack from './slack.json' with { type: 'json' };
import stripe from './stripe.json' with { type: 'json' };

export const definitions: readonly unknown[] = [
  anthropic,
  github,
  gitlab,
  google,
  linear,
  linearMcp,
  notion,
  openai,
  resend,
  slack,
  stripe,
];
