-- Orders that were neither paid nor canceled in time, for the job that looks into them.
CREATE INDEX orders_by_hold ON orders (hold_expires_at, tenant_id, order_id) WHERE status = 'PENDING' AND hold_expires_at IS NOT NULL;
-- It finds them in all tenants at once, and looks into each as its tenant.
CREATE POLICY background ON orders FOR SELECT USING (current_setting('bv.tenants', true) = '*' AND status = 'PENDING');
