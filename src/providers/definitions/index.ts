/** Every bundled definition, by import, so that a bundler finds them. A test compares this list with the folder. */
import affinity from './affinity.json' with { type: 'json' };
import ahrefs from './ahrefs.json' with { type: 'json' };
import anthropic from './anthropic.json' with { type: 'json' };
import apollo from './apollo.json' with { type: 'json' };
import ashby from './ashby.json' with { type: 'json' };
import atlassian from './atlassian.json' with { type: 'json' };
import atlassianToken from './atlassian-token.json' with { type: 'json' };
import attio from './attio.json' with { type: 'json' };
import beehiiv from './beehiiv.json' with { type: 'json' };
import bitbucket from './bitbucket.json' with { type: 'json' };
import brevo from './brevo.json' with { type: 'json' };
import buffer from './buffer.json' with { type: 'json' };
import calendly from './calendly.json' with { type: 'json' };
import claudeCode from './claude-code.json' with { type: 'json' };
import clearbit from './clearbit.json' with { type: 'json' };
import cloudflare from './cloudflare.json' with { type: 'json' };
import codex from './codex.json' with { type: 'json' };
import cohere from './cohere.json' with { type: 'json' };
import confluence from './confluence.json' with { type: 'json' };
import cursor from './cursor.json' with { type: 'json' };
import datadog from './datadog.json' with { type: 'json' };
import deepseek from './deepseek.json' with { type: 'json' };
import discord from './discord.json' with { type: 'json' };
import discordBot from './discord-bot.json' with { type: 'json' };
import dropbox from './dropbox.json' with { type: 'json' };
import dub from './dub.json' with { type: 'json' };
import fathom from './fathom.json' with { type: 'json' };
import fireflies from './fireflies.json' with { type: 'json' };
import fireworks from './fireworks.json' with { type: 'json' };
import flyio from './flyio.json' with { type: 'json' };
import g2 from './g2.json' with { type: 'json' };
import geminiCli from './gemini-cli.json' with { type: 'json' };
import gemini from './gemini.json' with { type: 'json' };
import github from './github.json' with { type: 'json' };
import githubCopilot from './github-copilot.json' with { type: 'json' };
import gitlab from './gitlab.json' with { type: 'json' };
import gmail from './gmail.json' with { type: 'json' };
import google from './google.json' with { type: 'json' };
import googleAdmin from './google-admin.json' with { type: 'json' };
import googleAnalytics from './google-analytics.json' with { type: 'json' };
import googleCalendar from './google-calendar.json' with { type: 'json' };
import googleChat from './google-chat.json' with { type: 'json' };
import googleClassroom from './google-classroom.json' with { type: 'json' };
import googleContacts from './google-contacts.json' with { type: 'json' };
import googleDocs from './google-docs.json' with { type: 'json' };
import googleDrive from './google-drive.json' with { type: 'json' };
import googleForms from './google-forms.json' with { type: 'json' };
import googleMeet from './google-meet.json' with { type: 'json' };
import googlePhotos from './google-photos.json' with { type: 'json' };
import googleSearchConsole from './google-search-console.json' with { type: 'json' };
import googleSheets from './google-sheets.json' with { type: 'json' };
import googleSlides from './google-slides.json' with { type: 'json' };
import googleTasks from './google-tasks.json' with { type: 'json' };
import granola from './granola.json' with { type: 'json' };
import groq from './groq.json' with { type: 'json' };
import hubspot from './hubspot.json' with { type: 'json' };
import hunter from './hunter.json' with { type: 'json' };
import instantly from './instantly.json' with { type: 'json' };
import intercom from './intercom.json' with { type: 'json' };
import jira from './jira.json' with { type: 'json' };
import keywordsEverywhere from './keywords-everywhere.json' with { type: 'json' };
import klaviyo from './klaviyo.json' with { type: 'json' };
import klaviyoOauth from './klaviyo-oauth.json' with { type: 'json' };
import lemlist from './lemlist.json' with { type: 'json' };
import linear from './linear.json' with { type: 'json' };
import linearMcp from './linear-mcp.json' with { type: 'json' };
import linkedin from './linkedin.json' with { type: 'json' };
import livestorm from './livestorm.json' with { type: 'json' };
import mailchimp from './mailchimp.json' with { type: 'json' };
import mentionMe from './mention-me.json' with { type: 'json' };
import microsoft from './microsoft.json' with { type: 'json' };
import microsoftOnenote from './microsoft-onenote.json' with { type: 'json' };
import microsoftWord from './microsoft-word.json' with { type: 'json' };
import mistral from './mistral.json' with { type: 'json' };
import monday from './monday.json' with { type: 'json' };
import mongodbAtlas from './mongodb-atlas.json' with { type: 'json' };
import notion from './notion.json' with { type: 'json' };
import npmgh from './npmgh.json' with { type: 'json' };
import openai from './openai.json' with { type: 'json' };
import openrouter from './openrouter.json' with { type: 'json' };
import optimizely from './optimizely.json' with { type: 'json' };
import outlookCalendar from './outlook-calendar.json' with { type: 'json' };
import outlookMail from './outlook-mail.json' with { type: 'json' };
import pagerduty from './pagerduty.json' with { type: 'json' };
import perplexity from './perplexity.json' with { type: 'json' };
import postiz from './postiz.json' with { type: 'json' };
import postmark from './postmark.json' with { type: 'json' };
import resend from './resend.json' with { type: 'json' };
import rewardful from './rewardful.json' with { type: 'json' };
import savvycal from './savvycal.json' with { type: 'json' };
import semrush from './semrush.json' with { type: 'json' };
import sendgrid from './sendgrid.json' with { type: 'json' };
import sentry from './sentry.json' with { type: 'json' };
import shopify from './shopify.json' with { type: 'json' };
import slack from './slack.json' with { type: 'json' };
import spotify from './spotify.json' with { type: 'json' };
import stripe from './stripe.json' with { type: 'json' };
import supabase from './supabase.json' with { type: 'json' };
import supabaseProject from './supabase-project.json' with { type: 'json' };
import telegramBot from './telegram-bot.json' with { type: 'json' };
import todoist from './todoist.json' with { type: 'json' };
import together from './together.json' with { type: 'json' };
import tolt from './tolt.json' with { type: 'json' };
import twilio from './twilio.json' with { type: 'json' };
import twitch from './twitch.json' with { type: 'json' };
import typeform from './typeform.json' with { type: 'json' };
import vercel from './vercel.json' with { type: 'json' };
import vertexAi from './vertex-ai.json' with { type: 'json' };
import wistia from './wistia.json' with { type: 'json' };
import x from './x.json' with { type: 'json' };
import xai from './xai.json' with { type: 'json' };
import youtube from './youtube.json' with { type: 'json' };
import zapier from './zapier.json' with { type: 'json' };
import zohoCrm from './zoho-crm.json' with { type: 'json' };
import zoom from './zoom.json' with { type: 'json' };

export const definitions: readonly unknown[] = [
  affinity,
  ahrefs,
  anthropic,
  apollo,
  ashby,
  atlassian,
  atlassianToken,
  attio,
  beehiiv,
  bitbucket,
  brevo,
  buffer,
  calendly,
  claudeCode,
  clearbit,
  cloudflare,
  codex,
  cohere,
  confluence,
  cursor,
  datadog,
  deepseek,
  discord,
  discordBot,
  dropbox,
  dub,
  fathom,
  fireflies,
  fireworks,
  flyio,
  g2,
  gemini,
  geminiCli,
  github,
  githubCopilot,
  gitlab,
  gmail,
  google,
  googleAdmin,
  googleAnalytics,
  googleCalendar,
  googleChat,
  googleClassroom,
  googleContacts,
  googleDocs,
  googleDrive,
  googleForms,
  googleMeet,
  googlePhotos,
  googleSearchConsole,
  googleSheets,
  googleSlides,
  googleTasks,
  granola,
  groq,
  hubspot,
  hunter,
  instantly,
  intercom,
  jira,
  keywordsEverywhere,
  klaviyo,
  klaviyoOauth,
  lemlist,
  linear,
  linearMcp,
  linkedin,
  livestorm,
  mailchimp,
  mentionMe,
  microsoft,
  microsoftOnenote,
  microsoftWord,
  mistral,
  monday,
  mongodbAtlas,
  notion,
  npmgh,
  openai,
  openrouter,
  optimizely,
  outlookCalendar,
  outlookMail,
  pagerduty,
  perplexity,
  postiz,
  postmark,
  resend,
  rewardful,
  savvycal,
  semrush,
  sendgrid,
  sentry,
  shopify,
  slack,
  spotify,
  stripe,
  supabase,
  supabaseProject,
  telegramBot,
  todoist,
  together,
  tolt,
  twilio,
  twitch,
  typeform,
  vercel,
  vertexAi,
  wistia,
  x,
  xai,
  youtube,
  zapier,
  zohoCrm,
  zoom,
];
