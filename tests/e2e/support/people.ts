// Whom every node and cluster under test knows from its first start.
export const adminPassword = 'admin-password-of-the-tests';
