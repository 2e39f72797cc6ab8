//! The gallery: what the front doors of `vendors/gallery` answer, to the byte. The facts are those of the vendors'
//! documents and recorded answers; each file says what is chosen.

mod anthropic;
mod datadog;
mod deepl;
mod door;
mod elasticsearch;
mod freshdesk;
mod github;
mod google_maps;
mod mailgun;
mod openai;
mod sendgrid;
mod stripe;
mod twilio;
