/** A bounded interpreter of the part of Jinja that chat templates are written in. */
package io.smallmind.tokenizer.template;
