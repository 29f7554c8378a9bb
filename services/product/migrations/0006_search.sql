-- Full text search: a row for each ACTIVE product, made of its rows by the trigger below whoever changes them, also the version of the
-- service before this one.
--
-- A table of its own and no generated column of `product`: SKUs, prices and categories stand in other tables, which a generated column cannot
-- read; `product` would be rewritten under its lock, and every version of a product would write its words again. Nothing is lost with it: it can
-- be made again from the other tables, as at the end of this file. That reads the whole catalogue, once (some 6,000 products a second on two
-- cores), while changes of products wait and reads go on.

-- Words as they stand, without endings taken off: a tenant's catalogue may be in any language, or in several, names and SKUs in none, and the last word
-- of a search is only begun. Without accents, by the extension that deploy/postgres/bootstrap.sql puts into this schema.
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION words
  ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH unaccent, simple;

CREATE TABLE product_search (
  tenant_id  text   NOT NULL,
  product_id text   NOT NULL,
  -- What a category found is counted by, each once.
  categories text[] NOT NULL,
  -- "name:value".
  attributes text[] NOT NULL,
  -- By currency the lowest price of an ACTIVE variant in minor units, the catalogue's: {"USD": 1295}.
  prices     jsonb  NOT NULL,
  -- Words of title and SKUs (weight A), values of attributes (B) and the description (D); and as words that no text has, since they begin with "=": the
  -- tenant "=t=…", the categories "=c=…", the attributes "=a=…" and the currencies "=p=…". So one index answers all conditions at once, and reads
  -- nothing of other tenants.
  document   tsvector NOT NULL,
  PRIMARY KEY (tenant_id, product_id)
);
-- Without a list of pending entries, which every search would have to read through.
CREATE INDEX product_search_by_words ON product_search USING gin (document) WITH (fastupdate = off);

ALTER TABLE product_search ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_search FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON product_search USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));

-- What parts words is a blank, so that "tent-2p" is found by "tent", by "2p" and when only "tent-2" has been typed. domain/search_words.cc does the
-- same to what is searched for.
CREATE FUNCTION parted(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT translate($1, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))
$$;

-- Makes the row of one product, or removes it. A row that would be the same is not written.
CREATE FUNCTION make_searchable(wanted_tenant text, wanted_product text) RETURNS void LANGUAGE plpgsql
SET search_path FROM CURRENT SET enable_seqscan = off SET enable_sort = off AS $$
BEGIN
  INSERT INTO product_search AS s (tenant_id, product_id, categories, attributes, prices, document)
  SELECT p.tenant_id, p.product_id, c.codes, p.attributes, coalesce(o.prices, '{}'),
         setweight(to_tsvector('words', parted(concat_ws(' ', p.title, v.skus))), 'A')
           || setweight(to_tsvector('words', parted(a.texts)), 'B')
           || setweight(to_tsvector('words', parted(p.description)), 'D')
           || array_to_tsvector(array_cat(c.keys, array_cat(a.keys, array_cat(coalesce(o.keys, '{}'), ARRAY['=t=' || p.tenant_id]))))
  FROM product p
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(category ORDER BY category), '{}') AS codes, coalesce(array_agg('=c=' || category), '{}') AS keys
    FROM product_category x WHERE x.tenant_id = p.tenant_id AND x.product_id = p.product_id
  ) AS c
  CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(substr(x, strpos(x, ':') + 1), ' '), '') AS texts, coalesce(array_agg('=a=' || x), '{}') AS keys
    FROM unnest(p.attributes) AS u (x)
  ) AS a
  -- In the order of the index of a product's variants: since there is no sorting, it is taken, also without statistics.
  CROSS JOIN LATERAL (
    SELECT string_agg(x.sku, ' ') AS skus, array_agg(x.variant_id) AS ids
    FROM (
      SELECT sku, variant_id, status FROM variant
      WHERE tenant_id = p.tenant_id AND product_id = p.product_id ORDER BY position LIMIT 1000
    ) AS x
    WHERE x.status = 'ACTIVE'
  ) AS v
  CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(currency, lowest) AS prices, array_agg('=p=' || currency) AS keys
    FROM (
      SELECT h.currency::text AS currency, min(h.price) AS lowest
      FROM unnest(v.ids) AS u (id)
      CROSS JOIN LATERAL (
        SELECT price, currency FROM product_price_history
        WHERE tenant_id = p.tenant_id AND variant_id = u.id AND valid_to IS NULL
        ORDER BY valid_from DESC LIMIT 1
      ) AS h
      GROUP BY h.currency
    ) AS of_currency
  ) AS o
  WHERE p.tenant_id = wanted_tenant AND p.product_id = wanted_product AND p.status = 'ACTIVE'
  ON CONFLICT (tenant_id, product_id) DO UPDATE
    SET categories = excluded.categories, attributes = excluded.attributes, prices = excluded.prices, document = excluded.document
    WHERE (s.categories, s.attributes, s.prices, s.document)
      IS DISTINCT FROM (excluded.categories, excluded.attributes, excluded.prices, excluded.document);

  DELETE FROM product_search s
  WHERE s.tenant_id = wanted_tenant AND s.product_id = wanted_product
    AND NOT EXISTS (SELECT FROM product p WHERE p.tenant_id = s.tenant_id AND p.product_id = s.product_id AND p.status = 'ACTIVE');
END $$;

-- Every change of a product, of its variants and of its prices makes a version of the product; when the transaction ends, all its rows are there.
CREATE FUNCTION make_changed_product_searchable() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM make_searchable(new.tenant_id, new.product_id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER product_is_searchable AFTER INSERT OR UPDATE ON product
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION make_changed_product_searchable();

-- The products that are there, of all tenants: for this once, the owner is not held to its rows.
ALTER TABLE product NO FORCE ROW LEVEL SECURITY;
ALTER TABLE variant NO FORCE ROW LEVEL SECURITY;
ALTER TABLE product_price_history NO FORCE ROW LEVEL SECURITY;
ALTER TABLE product_category NO FORCE ROW LEVEL SECURITY;
ALTER TABLE product_search NO FORCE ROW LEVEL SECURITY;
SELECT make_searchable(tenant_id, product_id) FROM product WHERE status = 'ACTIVE';
ALTER TABLE product FORCE ROW LEVEL SECURITY;
ALTER TABLE variant FORCE ROW LEVEL SECURITY;
ALTER TABLE product_price_history FORCE ROW LEVEL SECURITY;
ALTER TABLE product_category FORCE ROW LEVEL SECURITY;
ALTER TABLE product_search FORCE ROW LEVEL SECURITY;
